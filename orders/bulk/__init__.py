"""Orders by the sheet: tried first, placed in batches, with a result for every row."""
