"""Worked billing cases that others published, driven through the real engine."""
