"""Decisions and what took their place, paraphrased, each with a question; and decoys beside them."""

import random

AMENDED = [
    (
        "We use PostgreSQL for the orders service.",
        "We switched the orders service from PostgreSQL to CockroachDB.",
        "which database does the orders service use?",
    ),
    (
        "Let's use npm for the web client.",
        "We now use pnpm instead of npm in the web client.",
        "package manager for the web client",
    ),
    ("We deploy the API on Heroku.", "We moved the API deployment to Fly.io.", "where do we deploy the API"),
    ("Our releases go out every Friday.", "As of now our releases go out on Tuesdays.", "release day"),
    (
        "We decided to store sessions in Redis.",
        "We no longer store sessions in Redis; sessions live in Postgres now.",
        "where are sessions stored",
    ),
    ("We use tabs in Go code.", "We use spaces in Go code.", "tabs or spaces in Go code"),
    ("Our staging server is alpha.internal.", "Our staging server moved to beta.internal.", "staging server"),
    (
        "Let's go with Jest for the frontend tests.",
        "We're switching the frontend tests to Vitest.",
        "frontend tests framework",
    ),
    ("We target Python 3.9 in the SDK.", "The SDK now targets Python 3.11.", "minimum python version SDK"),
    (
        "We agreed to keep coverage above 70 percent.",
        "We agreed coverage must stay above 85 percent from now on.",
        "coverage threshold percent",
    ),
    (
        "We log in JSON with structlog.",
        "Decision: we replaced structlog with loguru for logging.",
        "logging library structlog",
    ),
    ("Our feature flags live in LaunchDarkly.", "Our feature flags moved to Unleash.", "feature flags"),
    ("We host the docs on Netlify.", "We're moving the docs hosting to Cloudflare Pages.", "docs hosting"),
    (
        "Decision: payments go through Stripe.",
        "Decision: payments go through Adyen instead of Stripe.",
        "payments provider",
    ),
    ("We run CI on Jenkins.", "CI is gone from Jenkins, we run CI with Buildkite now.", "what runs CI"),
    (
        "Let's keep the retry limit for webhooks at 3.",
        "Let's raise, no: we'll set the retry limit for webhooks to 5 instead.",
        "retry limit webhooks",
    ),
    (
        "We use REST for the mobile backend.",
        "We changed our mind: GraphQL for the mobile backend.",
        "mobile backend protocol",
    ),
    ("Our design tokens are in tokens.json.", "Our design tokens now live in theme.css.", "design tokens"),
    (
        "We use UTC timestamps in invoices.",
        "We no longer use UTC timestamps in invoices, local time it is.",
        "timestamps in invoices",
    ),
    (
        "Remember that the admin password rotation is monthly.",
        "Note: the admin password rotation is now weekly.",
        "admin password rotation",
    ),
    (
        "We write migrations with Alembic.",
        "From now on we write migrations as plain SQL instead of Alembic.",
        "how do we write migrations",
    ),
    ("We pin dependencies with poetry.", "We dropped poetry; we pin dependencies with uv now.", "pin dependencies"),
    (
        "We store uploads on the local disk.",
        "We've decided to store uploads in S3 rather than on local disk.",
        "uploads storage",
    ),
    ("We ship the desktop app with Electron.", "We'll ship the desktop app with Tauri instead.", "desktop app shell"),
]
_PARTS = [
    "ledger",
    "parser",
    "scheduler",
    "mailer",
    "invoice",
    "cache",
    "gateway",
    "tracker",
    "crawler",
    "indexer",
    "planner",
    "billing",
    "auth",
    "search",
    "upload",
    "export",
    "report",
    "audit",
    "chat",
    "feed",
    "video",
    "map",
    "tax",
    "quota",
    "shipping",
    "inventory",
    "pricing",
    "coupon",
    "refund",
    "wallet",
]
_SORTS = ["service", "module", "worker", "pipeline", "library", "dashboard", "daemon", "plugin", "bridge", "adapter"]
_TOOLS = [
    "Kafka",
    "RabbitMQ",
    "SQLite",
    "MongoDB",
    "gRPC",
    "Protobuf",
    "Terraform",
    "Ansible",
    "Sentry",
    "Grafana",
    "Nginx",
    "Caddy",
    "Rust",
    "Kotlin",
    "Swift",
    "Elixir",
    "Celery",
    "Airflow",
    "Snowflake",
    "DuckDB",
]
_PLACES = ("prod", "dev", "edge", "emea")


def decoys(count):
    """Return (decision, question) pairs, none of which amends another."""
    names = [(part, sort) for part in _PARTS for sort in _SORTS]
    random.Random(3).shuffle(names)
    found = []
    for number in range(count):
        name, place = " ".join(names[number % len(names)]), _PLACES[number // len(names)]
        tool = _TOOLS[(number * 7 + number // len(names)) % len(_TOOLS)]
        found.append((f"We use {tool} for the {place} {name}.", f"what do we use for the {place} {name}?"))
    return found
