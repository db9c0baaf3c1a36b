"""Deep sleep: conflicts of rules and memory, and what can safely be done about them. See README.md of this folder."""
