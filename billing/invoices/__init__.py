"""The issued document: what it says, why, and how it looks on paper."""
