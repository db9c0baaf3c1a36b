"""The hot path: a payload is kept whole, or the hook gets out of the way. No engine is needed."""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from nightschool.morning.brief import place

ROOT = Path(__file__).parent.parent
HARVEST = ROOT / "hooks" / "harvest"
PAYLOAD = json.dumps({"session_id": "s", "last_assistant_message": 'it\'s "done" \\n $HOME `id`\u2028'}).encode()


def harvest(env, *argv, data=PAYLOAD, shell=(), says=b"", **more):
    """Run the hook, and hold it to its promise: exit 0, nothing on stderr, and on stdout what it may say: nothing."""
    done = subprocess.run(
        [*shell, HARVEST, *argv], input=data, env=env, capture_output=True, timeout=60, check=False, **more
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, says, b"")
    return done


def kept(home):
    """Give the payloads in the spool, and check that nothing half-written lies beside them."""
    if not home.spool.is_dir():
        return []
    files = [path for path in home.spool.iterdir() if path.is_file()]
    assert [path for path in files if path.suffix != ".json"] == []
    return [path.read_bytes() for path in files]


def until(so, seconds=30):
    """Wait for something that must come true."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def test_every_shell_can_read_it(shell):
    """It is plain POSIX sh, executable, and short."""
    done = subprocess.run([*shell, "-n", HARVEST], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.access(HARVEST, os.X_OK)
    assert len(HARVEST.read_text().splitlines()) < 65


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        PAYLOAD,
        b"no newline",
        bytes(range(256)) * 9,
        b"\0" * 4096,
        b"-n\n--\n",
        os.urandom(2**19),
        os.urandom(5 * 2**20),
    ],
    ids=len,
)
def test_the_payload_is_kept_byte_for_byte(home, env, shell, data):
    """Whatever the bytes, empty or 5 MB, they lie in one file that is named by platform and moment."""
    harvest(env, "claude-code", "turn_end", data=data, shell=shell)

    assert kept(home) == [data]
    (path,) = home.spool.iterdir()
    assert path.name.startswith("claude-code.turn_end.")
    assert path.name.endswith(".json")


def test_only_the_owner_can_read(home, env, shell, tmp_path):
    """Files are 0600 and every directory that was made 0700, whatever the umask of the agent."""
    env["NIGHTSCHOOL_HOME"] = str(tmp_path / "a" / "b c" / "d*")
    harvest(env, "codex", "session_end", shell=shell, umask=0)

    spool = tmp_path / "a" / "b c" / "d*" / "spool"
    (path,) = spool.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (spool, *list(spool.parents)[:3]):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_variable_is_needed_but_home(home, env, shell, tmp_path):
    """Without NIGHTSCHOOL_HOME the spool is below HOME, also without PATH; XDG variables are not asked; `~` is HOME."""
    below = tmp_path / "user-home"
    told = {"HOME": str(below), "XDG_DATA_HOME": str(tmp_path / "xdg"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    harvest(told, "codex", "turn_end", shell=[shutil.which(shell[0]), *shell[1:]])
    harvest(told | {"PATH": ""}, "codex", "turn_end", shell=[shutil.which(shell[0]), *shell[1:]])
    harvest(env | told | {"NIGHTSCHOOL_HOME": "~/.nightschool"}, "codex", "turn_end", shell=shell, cwd=tmp_path)

    assert len(list((below / ".nightschool" / "spool").iterdir())) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["user-home"]


@pytest.mark.parametrize("told", ["~", "~nobody/x", "~nobody", ".ns", "a/b", ".", "C:x"])
def test_no_home_lies_in_the_project(env, shell, tmp_path, told):
    """`~` alone is HOME, as the engine reads it; another user's is not guessed; a relative one is none."""
    below, project = tmp_path / "user-home", tmp_path / "project"
    project.mkdir()
    harvest(env | {"HOME": str(below), "NIGHTSCHOOL_HOME": told}, "codex", "turn_end", shell=shell, cwd=project)
    assert (below / "spool").is_dir() is (told == "~")
    harvest({"PATH": env["PATH"], "NIGHTSCHOOL_HOME": told}, "codex", "turn_end", shell=shell, cwd=project)
    assert list(project.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="to be another user one has to be root")
@pytest.mark.parametrize("there", [False, True])
def test_root_keeps_nothing_in_a_users_home(env, shell, there):
    """Under `sudo` with the user's HOME no directory, payload or mark of root's is left; the user's own hooks go on."""
    folder = Path(tempfile.mkdtemp(prefix="nightschool-user-"))  # where another user can go
    try:
        user = folder / "user"
        home = user / ".nightschool"
        for made in (user, home, home / "spool") if there else (user,):
            made.mkdir(mode=0o700)
            os.chown(made, 65534, 65534)
        folder.chmod(0o755)
        hook = shutil.copy(HARVEST, folder / "harvest")
        told = {"PATH": env["PATH"], "HOME": str(user)}
        harvest(told, "codex", "turn_end", shell=shell)
        assert [path for path in user.rglob("*") if path.stat().st_uid == 0] == []
        as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *(shell or ["sh"]), hook]
        subprocess.run([*as_user, "codex", "turn_end"], input=PAYLOAD, env=told, check=True, cwd="/")
        assert len(list((home / "spool").glob("*.json"))) == 1
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("home_variable", [{}, {"HOME": ""}, {"HOME": "/proc/nowhere"}, {"HOME": "/dev/null"}])
def test_without_a_home_nothing_happens(shell, home_variable, tmp_path):
    """No HOME, an empty one, or one where nothing can be made: the payload is read to its end and dropped."""
    harvest(
        {"PATH": "/usr/bin:/bin"} | home_variable, "codex", "turn_end", data=b"x" * 2**20, shell=shell, cwd=tmp_path
    )

    assert [path.name for path in tmp_path.iterdir()] == ["user-home"]


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("codex",),
        ("codex", ""),
        ("", "turn_end"),
        ("../../evil", "turn_end"),
        ("codex", "../turn_end"),
        ("codex", "a/b"),
        ("..", ".."),
        ("codex.x", "turn_end"),
        ("Codex", "turn_end"),
        ("codex", "turn end"),
        ("codex", "turn_end\n"),
        ("codex", "*"),
        ("$(touch evil)", "`touch evil`"),
        ("codex;touch evil", "turn_end"),
        ("cod\u00e9x", "turn_end"),
        ("codex", "x" * 300),
    ],
)
def test_names_that_could_be_paths_keep_nothing(home, env, shell, argv, tmp_path):
    """Platform and moment are of `[a-z0-9_-]` in every locale; anything else keeps nothing anywhere."""
    home.spool.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))

    harvest(env | {"LC_ALL": "C.UTF-8"}, *argv, data=b"x" * 2**20, shell=shell, cwd=tmp_path)

    assert sorted(tmp_path.rglob("*")) == before


def test_odd_arguments_are_only_names(home, env, shell):
    """A leading dash is no option, digits and underscores are names, and further arguments are ignored."""
    harvest(env, "-n", "--help", shell=shell)
    harvest(env, "my_own-2", "turn_end", '{"appended": "by the client"}', shell=shell)

    names = sorted(path.name for path in home.spool.iterdir())
    assert [name.rsplit(".", 2)[0] for name in names] == ["-n.--help", "my_own-2.turn_end"]


@pytest.mark.parametrize("fds", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(home, env, shell, fds):
    """A client that closed stdin, stdout or stderr gets exit 0; without stdin nothing is kept."""
    line = f'{" ".join(shell)} "{HARVEST}" codex turn_end {fds}; echo $? >&3'
    done = subprocess.run(
        ["sh", "-c", f"{{ {line} ; }} 3>&1 1>&2"], input=PAYLOAD, env=env, capture_output=True, check=False
    )

    assert (done.stdout, done.stderr) == (b"0\n", b"")
    assert kept(home) == ([] if "<&-" in fds else [PAYLOAD])


@pytest.mark.parametrize("blocked", ["home", "spool"])
def test_a_file_in_the_way_does_no_harm(home, env, shell, blocked):
    """Where a directory cannot be made because a file has its name, that file stays as it is."""
    path = home.root if blocked == "home" else home.spool
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")

    harvest(env, "codex", "turn_end", data=b"x" * 2**20, shell=shell)

    assert path.read_text() == "mine"


def test_a_write_that_fails_leaves_nothing(home, env, shell):
    """When the payload cannot be written, half of it is not kept."""
    line = f'ulimit -f 8; exec {" ".join(shell)} "{HARVEST}" codex turn_end'
    for data, whole in ((b"x" * 2**20, []), (PAYLOAD, [PAYLOAD])):
        done = subprocess.run(["sh", "-c", line], input=data, env=env, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert kept(home) == whole


@pytest.mark.parametrize("options", ["size=64k", "nr_inodes=2", "ro"])
def test_a_full_or_read_only_disk_does_no_harm(home, env, shell, options):
    """On a disk without room, without inodes or that cannot be written, nothing is left, half or whole."""
    home.root.mkdir()
    inside = f'mount -t tmpfs -o {options} none "{home.root}" || exit 77; {" ".join(shell)} "{HARVEST}" codex turn_end'
    script = f'{inside}; code=$?; find "{home.root}" -type f; exit $code'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], input=b"x" * 2**20, env=env, capture_output=True, check=False
    )
    if done.returncode in {1, 77}:
        pytest.skip("a file system cannot be mounted here")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_starts_no_interpreter(home, env, shell, tmp_path):
    """Neither Python nor git, jq, curl or node is run, even when they stand first on PATH."""
    trap = tmp_path / "trap"
    trap.mkdir()
    lay(home, os.path.realpath(tmp_path))
    for name in ("python", "python3", "git", "jq", "curl", "node", "date", "sed", "awk", "grep", "head", "wc", "ls"):
        (trap / name).write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/sprung\n")
        (trap / name).chmod(0o700)

    harvest(env | {"PATH": f"{trap}:/usr/bin:/bin"}, "codex", "turn_end", shell=shell)
    path = {"PATH": f"{trap}:/usr/bin:/bin"}
    harvest(env | path, "codex", "session_start", shell=shell, cwd=tmp_path, says=BRIEF)

    assert kept(home) == [PAYLOAD] * 2
    assert not (tmp_path / "sprung").exists()


def test_concurrent_hooks_lose_and_tear_nothing(home, env, tmp_path):
    """64 hooks at once with 512 KiB each: 64 files, each one payload whole."""
    wanted = [bytes([n]) * 2**19 for n in range(64)]
    running = []
    for n, data in enumerate(wanted):
        path = tmp_path / f"in{n}"
        path.write_bytes(data)
        with path.open("rb") as stream:
            running.append(subprocess.Popen([HARVEST, "codex", "turn_end"], stdin=stream, env=env))

    assert [process.wait(60) for process in running] == [0] * 64
    assert sorted(kept(home)) == wanted


def test_no_reader_meets_half_a_payload(home, env):
    """While a slow client still writes there is no `.json`; it appears whole."""
    process = subprocess.Popen([HARVEST, "codex", "turn_end"], stdin=subprocess.PIPE, env=env)
    process.stdin.write(b"a" * 10_000)
    process.stdin.flush()
    until(lambda: list(home.spool.glob("*.part")))
    assert list(home.spool.glob("*.json")) == []
    process.stdin.write(b"b")
    process.stdin.close()
    assert process.wait(30) == 0

    assert kept(home) == [b"a" * 10_000 + b"b"]


@pytest.mark.parametrize("together", [False, True])
def test_a_process_id_that_comes_again_overwrites_nothing(home, env, shell, together):
    """Containers that share a home all have a process 1: each payload still has a file of its own."""
    if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a process namespace cannot be made here")
    script = ["unshare", "--pid", "--fork", *shell, str(HARVEST), "codex", "turn_end"]
    running = []
    for n in range(6):
        process = subprocess.Popen(script, stdin=subprocess.PIPE, env=env)
        running.append(process)
        process.stdin.write(b"%d" % n)
        if not together:
            process.stdin.close()
            process.wait(30)
    for process in running:
        process.stdin.close()
    assert [process.wait(30) for process in running] == [0] * 6

    assert sorted(kept(home)) == [b"%d" % n for n in range(6)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_client_that_ends_its_hooks_leaves_nothing_behind(home, env, shell, number):
    """A signal to the hook's group in the middle of a payload: exit 0, no half file, no process."""
    process = subprocess.Popen(
        [*shell, HARVEST, "codex", "turn_end"], stdin=subprocess.PIPE, env=env, start_new_session=True
    )
    process.stdin.write(b"half")
    process.stdin.flush()
    until(lambda: any(part.stat().st_size for part in home.spool.glob("*.part")))
    os.killpg(process.pid, number)

    assert process.wait(30) == 0
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    assert kept(home) == []
    assert [one.pid for one in psutil.process_iter() if _group(one.pid) == process.pid] == []


def _group(pid):
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


def test_a_killed_client_does_not_hold_the_hook(home, env):
    """When the client dies while it writes, the hook ends by itself."""
    client = subprocess.Popen(
        ["sh", "-c", f'(printf half; exec sleep 60) | "{HARVEST}" codex turn_end & echo $!; wait'],
        env=env | {"NIGHTSCHOOL_NO_DRAIN": "1"},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    hook = psutil.Process(int(client.stdout.readline()))
    until(lambda: any(part.stat().st_size for part in home.spool.glob("*.part")))
    for child in psutil.Process(client.pid).children():
        if child.pid != hook.pid:
            child.kill()
    client.kill()
    client.communicate()

    until(lambda: not hook.is_running() or hook.status() == psutil.STATUS_ZOMBIE)
    assert kept(home) == [b"half"]


BRIEF = b"<nightschool-brief>\n%s \\n $HOME `id` \0\xff\n</nightschool-brief>\n"


def lay(home, project, data=BRIEF):
    """Lay a brief where the engine puts that of a project."""
    path = place(home, project)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


NASTY = [
    "plain", "with space", " both ends ", "it's", 'dou"ble', "100%", "%2F", "%41", "a%", "back\\slash", "c:\\x", "*", "?x[a-z]",
    "$(touch evil)", "`touch evil`", "$HOME", "a;b|c&d", "~", "-n", "--", "new\nline", "ends in\n", "\n", "tab\t", "caf\u00e9",
    "cafe\u0301", "\u65e5\u672c\u8a9e", "\U0001f319", "\u2028", "...", ".hidden", "#", "!x", "{a,b}", "x" * 250, "\x01\x7f",
    os.fsdecode(b"latin-\xe9"), os.fsdecode(b"\xff\xfe/\x81\x5c"),
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_a_session_is_told_the_brief_of_its_project(home, env, shell, tmp_path, name):
    """Whatever the directory is called, engine and hook agree on its brief; it comes out byte for byte, beside the payload."""
    project = tmp_path / "code" / name
    project.mkdir(parents=True)
    lay(home, os.path.realpath(project))
    lay(home, os.path.realpath(tmp_path / "code" / "other"), b"another's")
    before = sorted(tmp_path.rglob("*"))

    harvest(env, "codex", "session_start", shell=shell, cwd=project, says=BRIEF)
    for locale in ("C", "C.UTF-8"):
        harvest(env | {"LC_ALL": locale}, "codex", "session_start", shell=shell, cwd=project, says=BRIEF)

    assert kept(home) == [PAYLOAD] * 3
    assert [path for path in sorted(tmp_path.rglob("*")) if home.spool not in [path, *path.parents]] == before


@pytest.mark.parametrize(
    "moment", ["turn_end", "session_end", "tool_failure", "compaction", "session_starts", "something_else"]
)
def test_other_moments_say_nothing(home, env, shell, moment):
    """Only a session's start is told anything."""
    lay(home, os.path.realpath(Path.cwd()))

    harvest(env, "codex", moment, shell=shell)


def test_a_session_below_a_project_is_told_its_brief(home, env, shell, tmp_path):
    """The nearest directory above that has a brief counts, up to seven; then the one of all projects, then nothing."""
    project = Path(os.path.realpath(tmp_path)) / "p"
    deep = project.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    lay(home, str(project), b"the project's")

    harvest(env, "codex", "session_start", shell=shell, cwd=deep.parent, says=b"the project's")
    harvest(env, "codex", "session_start", shell=shell, cwd=deep)
    lay(home, None, b"everybody's")
    harvest(env, "codex", "session_start", shell=shell, cwd=deep, says=b"everybody's")
    harvest(env, "codex", "session_start", shell=shell, cwd="/", says=b"everybody's")
    lay(home, str(project / "a"), b"nearer")
    harvest(env, "codex", "session_start", shell=shell, cwd=project / "a" / "b", says=b"nearer")
    harvest(env, "codex", "session_start", shell=shell, cwd=project, says=b"the project's")


def test_a_directory_is_known_by_its_real_path(home, env, shell, tmp_path):
    """Entered through a link, or with a PWD that lies, a project is the same."""
    project, link, other = tmp_path / "real", tmp_path / "link", tmp_path / "other"
    project.mkdir()
    other.mkdir()
    link.symlink_to(project)
    lay(home, os.path.realpath(project))

    for told in (str(link), str(other), "../..", ""):
        harvest(
            env | {"PWD": told, "CDPATH": str(tmp_path)}, "codex", "session_start", shell=shell, cwd=link, says=BRIEF
        )


@pytest.mark.parametrize("odd", ["missing", "empty", "a directory", "a pipe", "a dangling link"])
def test_without_a_brief_nothing_is_said(home, env, shell, tmp_path, odd):
    """No brief, an empty one, or something that is no file: not a byte, and nobody is held up."""
    path = place(home, os.path.realpath(tmp_path))
    path.parent.mkdir(parents=True)
    {
        "missing": lambda: None,
        "empty": path.touch,
        "a directory": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
        "a dangling link": lambda: path.symlink_to("nowhere"),
    }[odd]()

    harvest(env, "codex", "session_start", shell=shell, cwd=tmp_path)
    assert kept(home) == [PAYLOAD]


def test_a_deleted_directory_does_no_harm(home, env, shell, tmp_path):
    """A session whose directory is gone is kept, whatever the shell itself says to that."""
    lay(home, os.path.realpath(tmp_path))
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f'rmdir "{gone}"; exec {" ".join(shell)} "{HARVEST}" codex session_start'

    done = subprocess.run(["sh", "-c", line], input=PAYLOAD, env=env, cwd=gone, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout in (b"", BRIEF)
    assert kept(home) == [PAYLOAD]


@pytest.mark.parametrize("to", [">&-", "| true", ">/dev/full"])
def test_a_client_that_does_not_listen_does_no_harm(home, env, shell, tmp_path, to):
    """Where the brief cannot be said the payload is kept all the same, the hook ends with 0, and nothing is complained of."""
    lay(home, os.path.realpath(tmp_path), BRIEF * 4000)
    line = f'{{ {" ".join(shell)} "{HARVEST}" codex session_start; echo $? >&3; }} {to}'
    done = subprocess.run(
        ["sh", "-c", f"{{ {line} ; }} 3>&1 >&2"], input=PAYLOAD, env=env, cwd=tmp_path, capture_output=True, check=False
    )

    assert (done.stdout, done.stderr) == (b"0\n", b"")
    assert kept(home) == [PAYLOAD]


def test_a_start_that_keeps_nothing_says_no_payload(home, env, shell, tmp_path):
    """Where the payload cannot be kept it is dropped, not printed."""
    for argv in (("../x", "session_start"), ("", "session_start")):
        harvest(env, *argv, shell=shell)
    harvest({"PATH": "/usr/bin:/bin"}, "codex", "session_start", shell=shell, cwd=tmp_path)
    home.spool.mkdir(parents=True)
    for n in range(1000):
        (home.spool / f"codex.turn_end.{n}-1-1.json").touch()
    lay(home, os.path.realpath(tmp_path))
    harvest(env, "codex", "session_start", shell=shell, cwd=tmp_path, says=BRIEF)


WITH_RULE = b"<nightschool-brief>\n- Say LIMIT.\n</nightschool-brief>\n"
TRIAL = "f0123456789"


def try_rule(home, project):
    """Lay the brief that holds a rule on trial beside a project's own."""
    lay(home, project)
    (place(home, project).parent / f"nightschool-field-{TRIAL}.md").write_bytes(WITH_RULE)


def started(home, env, shell, where, script=HARVEST):
    """Start a session; return (what it was told, the arm in the payload's name), and hold the two to each other."""
    ran = subprocess.run([*shell, script, "codex", "session_start"], input=PAYLOAD, env=env, cwd=where,
                         capture_output=True, check=True)  # fmt: skip
    assert ran.stderr == b""
    (path,) = home.spool.iterdir()
    assert path.read_bytes() == PAYLOAD
    arm = path.name.removesuffix(".json").rpartition("-")[2]
    path.unlink()
    assert (arm, ran.stdout) in {("a1", WITH_RULE), ("a0", BRIEF)}
    assert path.name.endswith(f"-{TRIAL}-{arm}.json")
    return arm


@pytest.mark.parametrize("source", ["/proc/sys/kernel/random/uuid", "/nowhere"])
def test_a_fair_coin_says_who_is_told_of_a_rule_on_trial(home, env, shell, tmp_path, source):
    """The payload's name says what the session was told, with either source of chance; both faces come up."""
    try_rule(home, os.path.realpath(tmp_path))
    script = tmp_path / "harvest"
    script.write_text(HARVEST.read_text().replace("/proc/sys/kernel/random/uuid", source))

    arms = [started(home, env, shell, tmp_path, script) for _ in range(60)]
    assert 12 <= arms.count("a1") <= 48  # one in 400,000 falls outside


def test_without_chance_nobody_is_told_of_a_rule(home, env, shell, tmp_path):
    """No source of chance, a payload that is not kept, or another moment: the plain brief or nothing, and no arm."""
    try_rule(home, os.path.realpath(tmp_path))
    script = tmp_path / "harvest"
    text = HARVEST.read_text().replace("/proc/sys/kernel/random/uuid", "/nowhere")
    script.write_text(text.replace("/dev/urandom", "/nowhere"))
    ran = subprocess.run([*shell, script, "codex", "session_start"], input=PAYLOAD, env=env, cwd=tmp_path,
                         capture_output=True, check=True)  # fmt: skip
    assert ran.stdout == BRIEF
    for n in range(1000):
        (home.spool / f"codex.turn_end.{n}-1-1.json").touch()
    for _ in range(8):
        harvest(env, "codex", "session_start", shell=shell, cwd=tmp_path, says=BRIEF)
    harvest(env, "codex", "turn_end", shell=shell, cwd=tmp_path)
    assert not list(home.spool.glob("*-a?.json"))


def test_a_rule_on_trial_needs_no_brief_beside_it(home, env, shell, tmp_path):
    """Where there is nothing else to say, half of the sessions are told the rule, and the others nothing."""
    try_rule(home, os.path.realpath(tmp_path))
    place(home, os.path.realpath(tmp_path)).unlink()
    said = set()
    for _ in range(40):
        ran = subprocess.run([*shell, HARVEST, "codex", "session_start"], input=PAYLOAD, env=env, cwd=tmp_path,
                             capture_output=True, check=True)  # fmt: skip
        said.add(ran.stdout)
    assert said == {b"", WITH_RULE}
    assert len(list(home.spool.glob("*-a[01].json"))) == 40


@pytest.fixture
def engine(home, tmp_path):
    """Install an engine that tells how it was started and works until it may stop."""
    told, stop = tmp_path / "told", tmp_path / "stop"
    told.mkdir()
    script = home.root / "bin" / "nightschool"
    script.parent.mkdir(parents=True)
    script.write_text(
        f"#!{sys.executable} -IS\n"
        "import os, sys, time\n"
        f"told, stop = {str(told)!r}, {str(stop)!r}\n"
        "fds = ' '.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3))\n"
        "path = f'{told}/{os.getpid()}'\n"
        "with open(path + '.tmp', 'w') as stream:\n"
        "    print(*sys.argv[1:], os.getsid(0) == os.getpid(), os.nice(0), fds, file=stream)\n"
        "os.rename(path + '.tmp', path)\n"
        "end = time.monotonic() + 60\n"
        "while not os.path.exists(stop) and time.monotonic() < end:\n"
        "    time.sleep(0.02)\n"
    )
    script.chmod(0o700)

    class Engine:
        path = script

        def started(self):
            return [one for one in told.iterdir() if one.suffix != ".tmp"]

        def alive(self):
            return [
                int(one.name) for one in self.started() if psutil.pid_exists(int(one.name)) and not _zombie(one.name)
            ]

    try:
        yield Engine()
    finally:
        stop.touch()
        until(lambda: not Engine().alive())


def _zombie(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")
@pytest.mark.parametrize("moment", ["turn_end", "session_end", "tool_failure"])
def test_a_drain_is_started_and_not_waited_for(env, shell, engine, moment):
    """The hook returns while the drain works in a session of its own, at a lower priority, with nothing of the hook."""
    read, write = os.pipe()
    harvest(env, "codex", moment, shell=shell, pass_fds=[write])
    os.close(write)

    until(engine.started)
    (one,) = engine.started()
    assert one.read_text().split() == ["drain", "--linger", "1", "True", "10", "/dev/null", "/dev/null", "/dev/null"]
    assert engine.alive() == [int(one.name)]
    if write < 10:
        assert os.read(read, 1) == b""  # a client that waits for this pipe would not wait for the drain
    os.close(read)


@pytest.mark.parametrize("moment", ["session_start", "compaction", "something_else"])
def test_other_moments_start_nothing(home, env, engine, moment):
    """A start or a compaction is kept and nothing more."""
    harvest(env, "codex", moment)

    assert kept(home) == [PAYLOAD]
    assert not (home.spool / ".draining").exists()
    assert engine.started() == []


def test_the_drain_can_be_switched_off(home, env, engine):
    """NIGHTSCHOOL_NO_DRAIN=1 keeps the payload and starts nothing."""
    harvest(env | {"NIGHTSCHOOL_NO_DRAIN": "1"}, "codex", "turn_end")

    assert kept(home) == [PAYLOAD]
    assert not (home.spool / ".draining").exists()


def test_without_an_engine_the_spool_keeps_everything(home, env, shell):
    """Before the engine is installed payloads gather, and no mark holds up the first drain later."""
    for _ in range(3):
        harvest(env, "codex", "turn_end", shell=shell)

    assert kept(home) == [PAYLOAD] * 3
    assert not (home.spool / ".draining").exists()


@pytest.mark.parametrize("unusable", ["missing", "not executable", "directory"])
def test_the_engine_on_the_path_is_second_choice(env, engine, tmp_path, unusable):
    """Without a usable engine of its own the hook takes the one on PATH."""
    other = tmp_path / "bin"
    other.mkdir()
    shutil.copy(engine.path, other / "nightschool")
    engine.path.unlink()
    if unusable == "not executable":
        engine.path.write_text("#!/bin/sh\n")
    elif unusable == "directory":
        engine.path.mkdir()

    harvest(env | {"PATH": f"/usr/bin:/bin:{other}"}, "codex", "turn_end")

    until(engine.started)


def test_many_hooks_start_one_drain(home, env, shell, engine):
    """Twelve hooks at once, and more while the drain works, start one copy."""
    running = [
        subprocess.Popen([*shell, HARVEST, "codex", "turn_end"], stdin=subprocess.DEVNULL, env=env) for _ in range(12)
    ]
    assert [process.wait(60) for process in running] == [0] * 12
    until(engine.started)
    harvest(env, "codex", "session_end", shell=shell)
    time.sleep(0.3)

    assert len(engine.started()) == 1
    assert len(kept(home)) == 13


@pytest.mark.parametrize("marked", [(90, 0), (150, 1)])
def test_a_mark_of_a_dead_drain_is_taken_over(home, env, shell, engine, marked):
    """A mark over two minutes old does not hold up the next drain, a younger one does; it is taken over once."""
    age, copies = marked
    mark = home.spool / ".draining"
    mark.mkdir(parents=True)
    os.utime(mark, (time.time() - age,) * 2)

    harvest(env, "codex", "turn_end", shell=shell)
    harvest(env, "codex", "turn_end", shell=shell)
    if copies:
        until(engine.started)
    time.sleep(0.3)

    assert len(engine.started()) == copies


@pytest.mark.parametrize(("ahead", "looks"), [(0, 1), (30, 0)])
def test_a_drain_at_work_costs_a_hook_nothing(home, env, shell, engine, tmp_path, ahead, looks):
    """A mark that is dated ahead is believed as it is; of another a process is asked how old it is."""
    mark, witness, tools = home.spool / ".draining", tmp_path / "looked", tmp_path / "tools"
    mark.mkdir(parents=True)
    tools.mkdir()
    for name in ("find", "mkdir", "nice"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} >>"{witness}"\nexit 1\n')
        (tools / name).chmod(0o755)
    os.utime(mark, (time.time() + ahead - 1,) * 2)

    harvest(env | {"PATH": f"{tools}:{env['PATH']}"}, "codex", "turn_end", shell=shell)

    assert witness.exists() == bool(looks)
    assert kept(home) == [PAYLOAD]
    assert engine.started() == []


def test_the_spool_is_bounded_and_still_drained(home, env, engine):
    """At 1,000 payloads more are read to their end and dropped; those that wait are untouched, and a drain is started."""
    home.spool.mkdir(parents=True)
    for n in range(999):
        (home.spool / f"claude-code.turn_end.{n}-1-1.json").touch()

    harvest(env, "codex", "compaction")
    assert len(kept(home)) == 1000
    harvest(env, "codex", "turn_end", data=b"x" * 2**20)

    assert sorted(set(kept(home))) == [b"", PAYLOAD]
    assert len(kept(home)) == 1000
    until(engine.started)


def test_no_process_is_left_behind(env, shell, engine):
    """When the drain is done, neither it nor a zombie of the hook remains below the caller."""
    mine = psutil.Process()
    before = {child.pid for child in mine.children(recursive=True)}
    harvest(env, "codex", "turn_end", shell=shell)
    until(engine.started)

    assert {child.pid for child in mine.children(recursive=True)} <= before


def test_hooks_and_drains_together_journal_every_payload_once(home, env, tmp_path):
    """Real drains behind real hooks: in the end the spool is empty and each payload is one event."""
    script = home.root / "bin" / "nightschool"
    script.parent.mkdir(parents=True)
    paths = [str(ROOT / "tests" / "core" / "toy"), *filter(None, sys.path)]
    script.write_text(
        f"#!{sys.executable}\n"
        f"import sys\nsys.path[:0] = {paths!r}\n"
        "import nightschool_toy\n"
        "from nightschool.clock import SystemClock\n"
        "from nightschool.day.drain import drain\n"
        "from nightschool.paths import Home\n"
        "drain(Home.from_env(), nightschool_toy.platforms(), clock=SystemClock(), redact=str)\n"
    )
    script.chmod(0o700)
    for n in range(40):
        harvest(env, "toy", "turn_end", data=json.dumps({"sid": f"s{n}"}).encode())

    until(lambda: not any(home.spool.iterdir()))
    told = [json.loads(line)["session_id"] for line in home.journal.read_text().splitlines()]
    assert sorted(told) == sorted(f"s{n}" for n in range(40))
    until(lambda: not [one for one in psutil.process_iter(["cmdline"]) if str(script) in (one.info["cmdline"] or [])])
