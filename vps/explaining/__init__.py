"""The doors: explain a detection, a failure, the words of a phrase."""
