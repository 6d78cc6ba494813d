"""Proofs: how good a plan can be at all, by column generation, and the best choice of whole routes, by OR-Tools."""
