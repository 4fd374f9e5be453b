"""Work as people see it: lists and board, one task, comments, files, approvals, what it costs."""
