"""Questions about coupons, commitments and what they gave."""
