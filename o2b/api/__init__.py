"""What every API view shares: problems, pages, idempotency, tokens, the schema."""
