"""Methods that ask how the score changes with pixels or features."""
