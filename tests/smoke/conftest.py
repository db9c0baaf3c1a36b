"""The real clients."""

from tests.support.clients import claude, claude_binary

__all__ = ["claude", "claude_binary"]
