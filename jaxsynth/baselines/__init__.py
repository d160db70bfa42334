"""What a learned engine must beat: rows and series drawn by methods of a few lines, on the host."""
