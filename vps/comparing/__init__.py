"""Two detectors side by side: what one finds that the other does not, and why."""
