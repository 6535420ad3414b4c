"""What adapters share: pixels, weights, prompts, options."""
