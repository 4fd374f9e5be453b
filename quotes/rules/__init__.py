"""The arithmetic of an offer: pure."""
