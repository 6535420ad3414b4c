"""Groups of failures by what has to be hidden for them to go away."""
