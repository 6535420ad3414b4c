"""Florence-2 of transformers."""
