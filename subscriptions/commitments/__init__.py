"""How long services are agreed: commitments, what comes when they end, and prices that move."""
