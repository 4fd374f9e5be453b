"""The advocate stays: what they are told, what customers see, ask and complain about on the way."""
