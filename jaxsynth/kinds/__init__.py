"""What an example is: named arrays on disk and in the model, and how they are written and shown."""
