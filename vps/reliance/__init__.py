"""What the detections of a study lean on: where the evidence lies, and what hiding it costs."""
