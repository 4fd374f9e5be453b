"""The doors of work: list and board, one task, approvals, what is said, what it costs."""
