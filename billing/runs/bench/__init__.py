"""The bench of bill runs: a world of ready accounts, and the yardstick, a COPY of the same rows."""
