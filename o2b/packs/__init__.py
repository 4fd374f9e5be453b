"""Ready catalogs as data, one folder each; no code knows a pack."""
