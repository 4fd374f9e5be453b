"""Who works here: users, their groups, log-in and each group's home."""
