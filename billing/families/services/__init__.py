"""What a run does with families; their settings are those of accounts."""
