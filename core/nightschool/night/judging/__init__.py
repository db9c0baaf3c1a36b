"""Whether an attempt passes: one function per operator, and safe ways to run patterns and commands."""
