"""Cases of a data set: their kinds, and how they are selected."""
