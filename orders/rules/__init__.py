"""Arithmetic of orders on dataclasses: working time, and what follows from a plan."""
