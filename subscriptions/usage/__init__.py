"""Usage: what events say was used, taken once for ever, and the totals that billing reads."""
