"""Tables: files of rows, what their columns are, and rows as numbers."""
