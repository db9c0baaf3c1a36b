"""Any endpoint that speaks the OpenAI protocol: the vendor's own, vLLM, Ollama, llama.cpp. See `openai_http` for HTTP.

The key comes from an environment variable or the system's keyring and goes to `base_url` alone.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, Literal

from nightschool.errors import NightschoolError
from nightschool.models.backends.openai_http import Endpoint, post
from nightschool.models.backends.openai_replies import read_chat, read_responses
from nightschool.models.questions import Answer, Question

if TYPE_CHECKING:
    from nightschool.config import OpenAI as Settings

_PATHS = {"chat": "chat/completions", "responses": "responses"}


class OpenAI:
    """A backend over HTTP. On this machine it is free and needs no key; its name tells endpoints apart."""

    batch: Literal[False] = False
    paid = True  # asked one question before a night: a server may be down
    family = "openai"

    def __init__(self, endpoint: Endpoint, api: Literal["chat", "responses"], extra: dict[str, Any]) -> None:
        self._endpoint, self._api, self._extra = endpoint, api, extra
        told = json.dumps([endpoint.base_url, api, extra], sort_keys=True)
        self.name = f"openai-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
        self.price = (0.0, 0.0) if endpoint.loopback else None
        self._settings: Settings | None = None

    @classmethod
    def from_config(cls, settings: Settings) -> OpenAI:
        """Open the endpoint that was set. Raises NightschoolError when it or its key is missing or wrong."""
        if not settings.base_url:
            fix = "Set it: nightschool config openai.base_url http://127.0.0.1:8080/v1"
            raise NightschoolError("the backend openai has no endpoint", fix=fix)
        try:
            extra = json.loads(settings.extra_body or "{}")
        except ValueError as error:
            raise NightschoolError("openai.extra_body is not JSON", why=error, fix="Mend it.") from error
        if not isinstance(extra, dict):
            raise NightschoolError("openai.extra_body is not a JSON object", fix="Mend it.")
        endpoint = Endpoint.of(settings.base_url, _key(settings), wanted=bool(settings.key_env))
        opened = cls(endpoint, settings.api, extra)
        opened._settings = settings
        return opened

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without the key: it is opened anew there, with the key of that place."""
        if self._settings is None:
            raise TypeError("an endpoint that was not opened from settings stays where it is")
        return OpenAI.from_config, (self._settings,)

    def answer(self, question: Question) -> Answer:
        """Ask once. Raises CallError, or NightschoolError when no question can be answered."""
        began = time.monotonic()
        told = post(self._endpoint, _PATHS[self._api], self._body(question), question.timeout or 180.0)
        read = read_chat if self._api == "chat" else read_responses
        return read(told, question.model).model_copy(update={"seconds": time.monotonic() - began})

    def _body(self, question: Question) -> dict[str, Any]:
        if not question.model and not self._endpoint.loopback:
            fix = "Name it: --target-model openai:MODEL."
            raise NightschoolError("the backend openai needs a model", where=self._endpoint.base_url, fix=fix)
        body = self._chat(question) if self._api == "chat" else _responses(question)
        body |= {"model": question.model} if question.model else {}
        return {name: value for name, value in (body | self._extra).items() if value is not None}

    def _chat(self, question: Question) -> dict[str, Any]:
        system = [{"role": "system", "content": question.system}] if question.system else []
        # the vendor's newer models refuse the old name, other servers do not know the new one
        limit = "max_completion_tokens" if self._endpoint.host.endswith("openai.com") else "max_tokens"
        return {
            "messages": [*system, {"role": "user", "content": question.prompt}],
            limit: question.max_tokens,
            "seed": question.k,  # both sides of a pair meet the same luck
        }


def _responses(question: Question) -> dict[str, Any]:
    return {
        "instructions": question.system or None,
        "input": question.prompt,
        "max_output_tokens": question.max_tokens,
        "store": False,
    }


def _key(settings: Settings) -> str:
    """Find the key; "" when there is none. A keyring that is named is asked first."""
    if settings.keyring:
        try:
            keyring = importlib.import_module("keyring")
            found = keyring.get_password(settings.keyring, "nightschool")
        except ImportError as error:
            fix = "Install it: pip install 'nightschool[keyring]', or use an environment variable."
            raise NightschoolError("the keyring cannot be asked", why=error, fix=fix) from error
        except Exception as error:
            raise NightschoolError("the keyring does not answer", why=type(error).__name__) from error
        if found:
            return str(found).strip()
    return os.environ.get(settings.key_env, "").strip() if settings.key_env else ""
