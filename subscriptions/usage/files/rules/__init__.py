"""Pure rules of files: which shape one has, what its columns mean, which event a row is."""
