"""The arithmetic of a run on plain rows: drafting, what was promised, and the difference."""
