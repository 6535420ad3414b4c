"""The page in the browser: look at an image, click a box, see what the detector went by."""
