"""Change orders: what is in service is changed by lines that keep what they found."""
