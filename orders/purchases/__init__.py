"""What we order of vendors: sent as a document, received in parts, cancelled."""
