"""Broken inputs in large numbers: how they are made, and what each came to."""
