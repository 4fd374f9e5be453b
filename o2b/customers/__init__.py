"""Who sells, who signs, who is billed, and who answers for it."""
