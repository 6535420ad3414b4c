"""Formats of annotations, one a file."""
