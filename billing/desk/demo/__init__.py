"""The demo: a small carrier of the project's own, with three months behind it."""
