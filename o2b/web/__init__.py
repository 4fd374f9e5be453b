"""What every page of every stage shares: doors, lists, refusals, the frame around the work."""
