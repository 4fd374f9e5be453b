"""Mutants of o2b.charging: one small fault each, which the tests should notice."""
