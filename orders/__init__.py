"""Stage 2: every line, from acceptance to service."""
