"""Pages of prepaid money."""
