"""Pages of usage."""
