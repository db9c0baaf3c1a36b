"""What the user can choose, section by section: every setting has a default, a meaning and bounds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator


class Section(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    @field_validator("*")
    @classmethod
    def _can_be_said(cls, told: Any) -> Any:
        if isinstance(told, str) and ("\0" in told or told != told.encode(errors="replace").decode()):
            raise ValueError("it must be UTF-8, without NUL")
        return told


def _none(told: Any) -> Any:
    return None if told in ("", "none") else told


def _pairs(told: Any) -> Any:
    """Read `NAME=VALUE,…` as a table, `IN/OUT` as two numbers: so is a table told on a command line."""
    if not isinstance(told, str):
        return told
    pairs = (pair.rpartition("=") for pair in told.split(",") if pair.strip())
    return {name.strip(): tuple(value.split("/")) if "/" in value else value for name, _, value in pairs}


_HEAVIEST = 1000  # weight of what counts in the exam


def _weights(told: Any) -> Any:
    """Read the weights of what counts; what is wrong is said by name, not by the place in a table."""
    told = _pairs(told)
    if isinstance(told, dict):
        known = ("correctness", "tokens", "seconds")
        for name, value in told.items():
            if name not in known:
                raise ValueError(f"{name or value} is no weight: write NAME=NUMBER, with {', '.join(known)} for NAME")
            try:
                fits = 0 <= float(value) <= _HEAVIEST
            except (TypeError, ValueError):
                fits = False
            if not fits:
                raise ValueError(f"the weight of {name} must be a number from 0 to {_HEAVIEST}, not {value}")
    return told


def _executor(told: str) -> str:
    if not re.fullmatch(r"threads|processes|dask(\+tls)?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", told):
        raise ValueError("threads, processes or dask://HOST:PORT")
    return told


def _address(told: str) -> str:
    if told and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", told):
        raise ValueError("an address such as http://127.0.0.1:8080/v1, or nothing")
    return told


_Address = Annotated[str, AfterValidator(_address)]
_Limit = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_none)]
_Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Amount = Annotated[_Usd | None, BeforeValidator(_none)]
_Prices = Annotated[dict[str, tuple[_Usd, _Usd]], BeforeValidator(_pairs)]
_Weights = Annotated[
    dict[Literal["correctness", "tokens", "seconds"], Annotated[float, Field(ge=0, le=_HEAVIEST)]],
    BeforeValidator(_weights),
]
_Executor = Annotated[str, AfterValidator(_executor)]
_Limits = Annotated[dict[str, Annotated[int, Field(ge=1, le=64)]], BeforeValidator(_pairs)]


class Models(Section):
    """Who answers the night's questions."""

    backend: str = Field(default="none", description="`none` makes no call; mock, handoff, or one a platform brings")
    target_model: str = Field(default="", description="model that is examined: MODEL, or BACKEND:MODEL")
    optimizer_model: str = Field(default="", description="BACKEND:MODEL that writes rules; empty: as the target")
    max_tokens: int = Field(default=4096, ge=1, le=1_000_000, description="of a reply; what is charged before a call")
    timeout: float = Field(default=180.0, gt=0, le=3600, description="seconds a call may take")
    side_by_side: int = Field(default=4, ge=1, le=64, description="calls at once")
    limits: _Limits = Field(default={}, description="calls at once of single backends: NAME=2,openai=8")
    max_failed_share: float = Field(default=0.25, ge=0, le=1, description="a night that loses more of its calls failed")
    prices: _Prices = Field(default={}, description="USD for a million tokens: NAME=IN/OUT, by backend:model or either")
    command: str = Field(default="", description="program of the backend `command`; the request comes on stdin")
    command_env: str = Field(default="", description="variables it gets besides PATH and LANG, between commas")
    command_rules: str = Field(
        default="AGENTS.md",
        pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_./-]{0,99}$",
        description="file in a case's tree where it reads rules",
    )
    mock_script: str = Field(default="", description="what the rehearsal model of `mock` answers: path of a TOML file")


class Budget(Section):
    """What a night may spend. A night keeps its budget over every resumption; a day is the last 24 hours."""

    tokens: _Limit = Field(default=None, description="tokens a night, in and out; none: no limit")
    minutes: _Amount = Field(default=None, description="minutes a night in which calls run; none: no limit")
    usd: _Amount = Field(default=None, description="USD a night, by models.prices; none: no limit")
    day_tokens: _Limit = Field(default=None, description="tokens a day, over all nights; none: no limit")
    day_usd: _Amount = Field(default=None, description="USD a day, over all nights; none: no limit")


class OpenAI(Section):
    """The backend `openai`: any endpoint that speaks its protocol."""

    base_url: _Address = Field(
        default="", description="such as http://127.0.0.1:8080/v1; the protocol's paths follow it"
    )
    api: Literal["chat", "responses"] = Field(default="chat", description="chat/completions, or responses")
    key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds the key")
    keyring: str = Field(default="", description="service name of the key in the system's keyring, if it lies there")
    extra_body: str = Field(default="", description='JSON object put into every request: {"temperature": 0}')


class Executor(Section):
    """Where calls are made."""

    run: _Executor = Field(default="threads", description="threads, processes, or dask://HOST:PORT (extra `cluster`)")
    side_by_side: int = Field(default=0, ge=0, le=4096, description="calls at once on a cluster; 0: its threads")


class Mine(Section):
    """What counts as coming back."""

    min_sessions: int = Field(default=2, ge=1, le=1000, description="distinct sessions a correction must come back in")
    max_sessions: int = Field(default=0, ge=0, description="transcripts read a night; the rest waits; 0: all")
    scope: Literal["invoked", "all"] = Field(default="invoked", description="this project's sessions, or everybody's")
    checks_by_model: bool = Field(default=False, description="the optimizer writes checks for corrections without any")
    max_written: int = Field(default=4, ge=0, le=50, description="corrections a night that it is asked about")
    preferences: str = Field(default="", max_length=4000, description="what you prefer, wherever a rule is written")
    preferences_file: str = Field(default="", description="path of a text file that holds them instead")
    dream: bool = Field(default=False, description="whether variants of train tasks are made; never of held-out ones")


class Exam(Section):
    """How candidate rules are examined."""

    gate: Literal["on", "off"] = Field(default="on", description="off: measure and say so, but refuse nothing")
    rollouts_k: int = Field(default=1, ge=1, le=20, description="attempts at each task, with and without the edit")
    reward: _Weights = Field(
        default={"correctness": 1.0}, description="what counts: correctness=1,tokens=0.2,seconds=0"
    )
    max_candidates: int = Field(default=4, ge=1, le=50, description="edits examined a night")
    max_tasks: int = Field(default=20, ge=1, le=500, description="held-out tasks an edit meets a night")
    max_bank: int = Field(default=60, ge=6, le=5000, description="held-out tasks of one kind in use; oldest rotate out")
    alpha: float = Field(default=0.05, gt=0.0, le=0.5, description="chance that a useless edit passes its exam")
    max_nights: int = Field(default=6, ge=1, le=100, description="nights an edit may stay on probation")
    spacing: int = Field(default=7, ge=1, le=1000, description="nights between two examinations of an adopted rule")
    lifetime: float = Field(default=0.10, gt=0.0, le=0.5, description="share of useless rules among all ever accepted")
    field: Literal["off", "on"] = Field(
        default="off", description="on: a random half of your sessions is told of a rule on trial; no model call"
    )


class Adopt(Section):
    """Where adopted rules go."""

    target: str = Field(default="auto", description="auto, or keys from `doctor` and SKILL.md paths, with commas")


class Brief(Section):
    """What a session is told at its start."""

    tokens: int = Field(default=600, ge=0, le=2000, description="what it may cost at most; 0: nothing is told")


class Queue(Section):
    """What you asked the night to sleep on."""

    max_tasks: int = Field(default=5, ge=0, le=5, description="queued tasks a night; 0: the queue waits")
    max_minutes: int = Field(default=480, ge=1, le=480, description="minutes a night spends on the queue")
    max_attempts: int = Field(default=3, ge=1, le=20, description="attempts at a task before it has failed")
    lease_minutes: int = Field(default=30, ge=1, le=480, description="how long a claim holds without a sign of life")


class DeepSleep(Section):
    """How often rules and memory are looked through for conflicts."""

    cadence_days: int = Field(default=7, ge=0, le=365, description="days between two deep sleeps; 0: never")
    second_opinion: bool = Field(default=False, description="ask the night's model about contradictions: costs calls")


class Audit(Section):
    """What the self-audit notices, and when it speaks."""

    failures: int = Field(
        default=3, ge=1, le=1000, description="failed calls among the last `audit.window` of a session"
    )
    window: int = Field(default=20, ge=1, le=1000, description="calls of one session that are looked back at")
    silent_sessions: int = Field(default=10, ge=0, description="sessions that are only logged before an agent is told")
    prompts: bool = Field(default=True, description="whether an agent is told of its error spike at all")


class Privacy(Section):
    """Whose sessions are not kept: of these only counts are stored."""

    projects: str = Field(default="", description="directories, between commas; those below them are meant too")
    sessions: str = Field(default="", description="ids of sessions, between commas")


class Memory(Section):
    """What is remembered, and for how long."""

    min_observations: int = Field(default=3, ge=1, le=1000, description="distinct sessions a block is made from")
    confidence: float = Field(default=0.7, ge=0.0, le=1.0, description="least share of sessions that bear a block out")
    blocks: int = Field(default=10, ge=0, le=10, description="blocks a session is told of at most; 0: none")
    half_life: int = Field(
        default=50, ge=1, description="sessions of a project after which an unused block counts half"
    )
    purge_days: int = Field(default=180, ge=1, description="days a block that was put away is kept")
    session_days: int = Field(default=0, ge=0, description="days the text of sessions is kept; 0: for ever")
    control: float = Field(default=0.0, ge=0.0, le=0.5, description="share of days told nothing, to measure it")


class Schedule(Section):
    """What happens around a night."""

    on_morning: str = Field(default="", description="shell command run after a night, told of it by NIGHTSCHOOL_ names")


class Sync(Section):
    """Where this home is shared with your other machines."""

    backend: Literal["none", "git", "folder", "s3"] = Field(default="none", description="nothing is shared with `none`")
    url: str = Field(default="", description="of the private repository, the folder, or s3://BUCKET/PREFIX")
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="of the repository")
    deploy_key: bool = Field(default=False, description="go there with the key made for it, and with no other")
    endpoint: str = Field(default="", description="of an S3-compatible service; empty: that of AWS")
    region: str = Field(default="", description="of the bucket; empty: as the environment says")
    sessions: bool = Field(default=True, description="share the redacted text of this machine's sessions")
    nightly: bool = Field(default=True, description="before and after each night")
    author: str = Field(default="", max_length=100, description="who you are in a repository that several people share")
    adopt_by: str = Field(default="", description="authors whose proposals may be adopted here, between commas; all")
    timeout: float = Field(default=60.0, gt=0, le=3600, description="seconds one exchange with the repository may take")


class Cases(Section):
    """Your own commits as exams."""

    build: Literal["off", "on"] = Field(default="off", description="on: a night makes cases of new commits")
    confine: Literal["on", "off"] = Field(
        default="on", description="off: run tests and agents even where this machine has no sandbox for them"
    )
    network: bool = Field(default=False, description="whether tests may use the network")
    readable: str = Field(default="", description="directories below your home that tests may read, between commas")
    test_command: str = Field(default="", description="runs the tests; empty: detected; {tests} stands for the files")
    setup_command: str = Field(default="", description="prepares an environment, with network; empty: nothing is done")
    pythonpath: str = Field(default="", description="directories of the tree on PYTHONPATH, with colons; empty: found")
    repeats: int = Field(default=3, ge=2, le=20, description="runs of the tests on the commit: all must agree")
    base_repeats: int = Field(default=2, ge=1, le=20, description="runs of the tests on the state before it")
    test_seconds: float = Field(default=300.0, gt=0, le=7200, description="seconds one run of the tests may take")
    setup_seconds: float = Field(default=900.0, gt=0, le=7200, description="seconds the set-up may take")
    agent_seconds: float = Field(default=900.0, gt=0, le=14400, description="seconds an agent may work at a case")
    agent_tokens: int = Field(
        default=200_000, ge=1, description="charged before an attempt; its own figure replaces it"
    )
    max_commits: int = Field(default=200, ge=1, le=100_000, description="new commits looked at in one build")
    side_by_side: int = Field(default=2, ge=1, le=64, description="commits verified at once")
