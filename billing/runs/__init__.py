"""Bill runs: opened, drafted in shards, checked against the promises, approved, finalised."""
