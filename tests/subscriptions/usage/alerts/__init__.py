"""Alerts of usage."""
