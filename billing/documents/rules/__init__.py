"""Arithmetic of documents on plain data."""
