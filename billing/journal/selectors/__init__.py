"""Questions about the journal: rates of a day, postings for a list, balances of a month."""
