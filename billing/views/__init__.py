"""The pages of billing, one file a thing that people look at."""
