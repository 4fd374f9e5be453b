"""Coupons over what was billed, minimums over what is left: targets, differences, taxes."""
