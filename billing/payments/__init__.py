"""Money that came in: recorded once, allocated to invoices, the rest kept as credit."""
