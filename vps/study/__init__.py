"""Runs a study over many cases: resumable, parallel, every failure on record."""
