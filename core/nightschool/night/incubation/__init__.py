"""Incubation: what the user asked the night to sleep on. See README.md of this folder."""
