"""What keeps coming back: the words users repeat, the checks they imply, and how they cluster."""
