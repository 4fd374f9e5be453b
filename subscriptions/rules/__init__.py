"""The rules of what is in service: pure, told everything."""
