"""What is done with documents while a run is drafted."""
