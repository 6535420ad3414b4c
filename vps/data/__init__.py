"""Data sets, drawn scenes, and the choice of cases."""
