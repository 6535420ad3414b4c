"""Methods that hide parts of the image and look at the scores."""
