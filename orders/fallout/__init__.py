"""Fallout: what failed and is mended by people; outside systems that are down."""
