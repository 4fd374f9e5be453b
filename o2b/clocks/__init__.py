"""Test clocks: accounts that live in a moment of their own, and days that pass when one asks."""
