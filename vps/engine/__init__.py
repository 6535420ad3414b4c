"""Subsets of regions through a detector: passes, the objective, curves along an order."""
