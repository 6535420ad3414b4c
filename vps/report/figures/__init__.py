"""Pictures of explanations and answers, one a file."""
