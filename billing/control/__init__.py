"""The desk of a bill run: variance, outliers, parked accounts, advocates' looks, rules."""
