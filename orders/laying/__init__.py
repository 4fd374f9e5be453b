"""Writing an order down: its lines and the tasks of their plans, whichever door it came by."""
