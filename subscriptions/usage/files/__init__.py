"""Files of usage and call records: their shapes, how rows become events, how they load."""
