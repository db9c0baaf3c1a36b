"""Run with an interpreter that has the official SDK: what its client finds when it starts our server.

Usage: python mcp_sdk_client.py MODE PROJECT COMMAND…   Prints one JSON document.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from mcp import Client, types
from mcp.client.stdio import StdioServerParameters


async def main(mode, project, command):
    """List, call with progress, fail, and cancel."""
    asked, heard, faults = [], [], []

    async def roots(_context):
        asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri=Path(project).as_uri())])

    async def progress(done, _total, message):
        heard.append([done, message])

    async def messages(message):
        if isinstance(message, Exception):
            faults.append(repr(message))

    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ), cwd="/")
    async with Client(server, mode=mode, list_roots_callback=roots, message_handler=messages) as client:
        tools = (await client.list_tools()).tools
        plan = await client.call_tool("sleep_dry_run", {}, progress_callback=progress)
        night = await client.call_tool("sleep_run", {"project": project}, progress_callback=progress)
        wrong = await client.call_tool("sleep_run", {"rollouts_k": -1})
        missing = await client.call_tool("sleep_report", {"night": "9999"})
        began = time.monotonic()
    return {
        "tools": [tool.name for tool in tools],
        "plan": plan.structured_content,
        "night": [night.is_error, night.structured_content["night"]["status"]],
        "errors": [wrong.is_error, missing.is_error, missing.content[0].text],
        "roots": asked,
        "progress": heard,
        "faults": faults,
        "closing": time.monotonic() - began,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))))
