"""Catalogue: matters, where and by whom they are handled, their papers, area evaluations, and their import."""
