"""The doors of fallout: the desk, its remedies and rules, outside systems, call-backs."""
