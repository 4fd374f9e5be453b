"""What writes coupons and minimums, and what a run does with them."""
