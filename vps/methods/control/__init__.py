"""Controls: what a method must beat."""
