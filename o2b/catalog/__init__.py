"""What we sell, how it is delivered, what it costs, and the frozen Terms of what was promised."""
