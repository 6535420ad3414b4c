"""Metrics as pure functions on arrays; each definition stands here once."""
