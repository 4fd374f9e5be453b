"""Stage 3: what is in service, since when, under which Terms."""
