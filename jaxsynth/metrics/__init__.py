"""Scores of synthetic data, computed on features `[N, D]`."""
