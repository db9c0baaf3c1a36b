"""Rules in documents: the managed block, what may stand in it, and which document is meant."""
