"""Dated truth: facts of services become the versions of their items."""
