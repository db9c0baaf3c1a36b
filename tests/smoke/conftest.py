"""The real clients."""

from tests.support.clients import claude, claude_binary
from tests.support.codex_client import codex, codex_binary
from tests.support.copilot_client import copilot, copilot_binary, copilot_cache

__all__ = ["claude", "claude_binary", "codex", "codex_binary", "copilot", "copilot_binary", "copilot_cache"]
