"""Whoever changes what is in service begins here: a wish becomes a priced change order."""
