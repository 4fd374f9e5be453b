"""Sums of our own for keys of the vocabulary that the shared file has no case of."""
