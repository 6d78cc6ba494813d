"""Say it once, to the right person."""
