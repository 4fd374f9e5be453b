"""Families: parents whose documents hold the lines of their children."""
