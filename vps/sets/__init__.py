"""The smallest set of regions that attains a goal."""
