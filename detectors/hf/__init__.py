"""Detectors of transformers, beside Grounding DINO and Florence-2."""
