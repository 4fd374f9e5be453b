"""Visits at the customer's: to be arranged, arranged, kept or missed; a calendar of them."""
