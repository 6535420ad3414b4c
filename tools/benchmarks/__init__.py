"""One benchmark a module: `add_arguments(parser)` and `run(arguments)`."""
