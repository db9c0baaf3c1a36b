"""The real clients."""

from tests.support.clients import claude, claude_binary
from tests.support.codex_client import codex, codex_binary
from tests.support.copilot_client import copilot, copilot_binary, copilot_cache

__all__ = ["claude", "claude_binary", "codex", "codex_binary", "copilot", "copilot_binary", "copilot_cache"]


def pytest_collection_modifyitems(items):
    """Begin with what takes longest in one piece: the pages in a browser, beside which all else runs."""
    items.sort(key=lambda item: item.path.name != "test_page.py")
