"""What stands around the gate: the lifetime's levels, the joint exam, guards, re-examination, and the simulation."""
