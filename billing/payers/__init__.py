"""Payers that share what an account is billed: sixty percent a programme, the rest the customer."""
