"""Detectors of torchvision."""
