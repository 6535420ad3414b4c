"""Detectors of mmdet 3."""
