"""Sheets in and out of the catalog."""
