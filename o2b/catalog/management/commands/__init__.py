"""manage.py commands: sheets in and out, and how fast they come in."""
