"""Licence keys: given to tasks, shown once, mailed, revoked; and the pools that they come from."""
