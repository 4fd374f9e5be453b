"""Quotes against what is in service: add, change, renew, co-term and end, with what that brings."""
