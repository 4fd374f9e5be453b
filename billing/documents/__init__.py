"""Several documents of one account in a run, and bills that are too small to be issued."""
