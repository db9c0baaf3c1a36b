"""What a command was asked for and printed without a mark."""

import random
import string

import pytest
from tests.e2e.conftest import START, World
from tests.support.transcripts import claude_session, codex_session

from nightschool.day.secret_outputs import without_asked

ASKS = [
    "op read op://Private/db/password",
    "op item get db --fields password --reveal",
    "pass show prod/db",
    "cd infra && pass prod/db",
    "gcloud secrets versions access latest --secret=db",
    "gcloud auth print-access-token",
    "aws secretsmanager get-secret-value --secret-id db --query SecretString --output text",
    "aws ssm get-parameter --name /db --with-decryption --query Parameter.Value --output text",
    "az keyvault secret show --name db --vault-name v --query value -o tsv",
    "vault kv get -field=password secret/db",
    "kubectl get secret db -o jsonpath='{.data.password}' | base64 -d",
    "argocd admin initial-password -n argocd",
    "heroku auth:token",
    "kubeadm token create",
    "security find-generic-password -w -s db",
    "doppler secrets get DB --plain",
    "openssl rand -base64 24",
    "python -c 'import secrets; print(secrets.token_urlsafe())'",
    "bin/rails secret",
    "echo $DB_PASSWORD",
    "printenv STRIPE_SECRET",
]
OTHERS = ["cat notes.txt", "git rev-parse HEAD", "ls -1 src", "passwd --help", "docker ps -q", "echo done", "pass"]


def value(seed):
    """Make a value that nothing marks."""
    rng = random.Random(seed)
    return "".join(rng.choices(string.ascii_letters + string.digits + "+/", k=24)) + "aB3"


@pytest.mark.parametrize("command", ASKS)
@pytest.mark.parametrize(
    "output", ["{}", "{}\n", "warning: cached for 5 minutes\n{}\n", "Exit code: 0\nOutput:\n{}\r\n"]
)
def test_the_value_alone_on_a_line_goes(command, output):
    """Whatever stands around it stays."""
    secret = value(command)
    assert without_asked(command, output.format(secret)) == output.format("[redacted:asked-for]")


@pytest.mark.parametrize("command", OTHERS)
def test_what_other_commands_print_stays(command):
    """A value alone is a hash, a name or a number where nobody asked for a secret."""
    assert without_asked(command, f"{value(command)}\n") == f"{value(command)}\n"


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Error: no such item in vault\n",
        "permission-denied\n",
        "[redacted:github-token]\n",
        "ok then\n" * 20 + "x1y2z3w4\n",
    ],
)
def test_what_is_no_value_stays(output):
    """Words, what is redacted already, and a long listing."""
    assert without_asked("op read op://a/b/c", output) == output


@pytest.mark.parametrize("write", [claude_session, codex_session])
def test_it_never_reaches_the_home(tmp_path, no_real_home, write):
    """Through each client's own transcript and a harvest, no byte of it is kept."""
    world = World(tmp_path)
    world.project.mkdir(parents=True)
    calls = [(f"{command}; make check", True, f"{value(command)}\n1 failed\n") for command in ASKS]
    name = "00000000-0000-4000-8000-000000000001"
    write(world.user_home, name, [("rotate them", "done", calls)], at=START, project=str(world.project))
    assert world.json("harvest")["sessions"] == 1
    kept = b"".join(path.read_bytes() for path in world.home.rglob("*") if path.is_file())
    assert kept.count(b"[redacted:") >= len(ASKS)
    assert [command for command in ASKS if value(command).encode() in kept] == []
