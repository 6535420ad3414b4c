"""Words that all speak: boxes, targets, detectors and their candidates, images, regions."""
