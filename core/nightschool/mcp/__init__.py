"""What an agent may ask of Nightschool: a Model Context Protocol server on stdin and stdout.

Section names in the docstrings of this room are those of the MCP specification, by revision, and of JSON-RPC 2.0.
"""
