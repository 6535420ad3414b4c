"""Grounding DINO, of transformers and of its authors' package."""
