"""What writes coupons and commitments, and what a run does with them."""
