"""Taxes: which rate holds in a country for a code on a day, asked through a port."""
