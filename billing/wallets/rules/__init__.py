"""Arithmetic of prepaid money; no Django."""
