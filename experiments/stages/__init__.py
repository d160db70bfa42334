"""What `pipeline.py` knows of the other programs, and how it runs them as stages."""
