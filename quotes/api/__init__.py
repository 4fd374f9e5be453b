"""REST of quotes."""
