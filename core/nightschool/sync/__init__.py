"""What leaves this home and comes in: the shared repository, and formats others can read."""
