"""Losses as pure functions, `[B]` and unreduced."""
