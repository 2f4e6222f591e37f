"""Backends: what a route's integration passes a request on to."""
