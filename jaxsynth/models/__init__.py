"""Linen networks."""
