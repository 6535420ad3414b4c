"""What is answered: explanations, answers about failures and about words."""
