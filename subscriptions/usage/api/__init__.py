"""REST of usage: events come in, and all that became of them is read."""
