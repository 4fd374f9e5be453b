"""The roof: what runs the whole thread, from file or command to paid invoice."""
