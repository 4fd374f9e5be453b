"""How long a night of renewals takes, beside the bare UPDATE and INSERT of the same rows."""
