"""Pools of prepaid units: who draws from them, what they hold, and what covers what."""
