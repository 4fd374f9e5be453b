"""What documents of an account are made of."""
