"""Models of Ultralytics."""
