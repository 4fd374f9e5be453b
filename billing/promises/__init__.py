"""Promises: what was promised for each order line, what became of it, and every difference."""
