"""The arithmetic of a run on plain rows: drafting, what should have come out, and the difference."""
