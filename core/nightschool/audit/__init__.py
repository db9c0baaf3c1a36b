"""Self-audit: what kind of thing went wrong, the backlog of it, and the one line that tells the agent."""
