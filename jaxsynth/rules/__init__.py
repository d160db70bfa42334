"""Data written down instead of learned, with exact labels."""
