"""Methods that search for an order of the regions."""
