"""Questions about coupons, minimums and what they gave."""
