"""Doors of the ground at the command line."""
