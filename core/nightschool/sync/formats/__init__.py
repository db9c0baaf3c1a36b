"""Formats that others read and write: trace lines, DNA strings, the agents' ledger, and JSON Schemas of our records."""
