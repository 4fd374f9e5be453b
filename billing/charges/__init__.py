"""Charges: what each item owes under each charge of its Terms."""
