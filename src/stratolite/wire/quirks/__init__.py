"""Quirks: what the models do not say, named and counted."""
