"""Obligations: what is owed, by whom, by when; one derived table that every list, count and reminder reads."""
