"""Questions about work: what waits where, one task whole, what is asked, what it costs."""
