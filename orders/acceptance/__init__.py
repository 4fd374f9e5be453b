"""Accepting is ordering: the doors by which an offer becomes an order, or is declined."""
