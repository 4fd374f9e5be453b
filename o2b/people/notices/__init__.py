"""What O2B tells a person: in the app and by mail, once, as each one prefers."""
