"""A git repository as the place to share things in, on any host or in a directory.

There is no checkout: what others have written is read as objects out of a bare clone, and what is ours goes in through
`git fast-import` as explicit paths. So no path of a repository ever becomes a path of this disk, there is no text merge
that could conflict, and files in the repository that are none of ours stay as they are.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nightschool.clock import Clock
from nightschool.errors import NightschoolError
from nightschool.files import private_dir
from nightschool.sync.programs import GitFailed, environment, git
from nightschool.sync.remote import LARGEST, Contended, Listing, Unreachable

_OURS = "refs/nightschool/out"
_BATCH = 500  # files that are read at once
_HELD = 64 * 2**20  # bytes of them: a blob of blanks is small there, and may stand in any number of places
_RECEIVES = "git -c core.hooksPath=/dev/null -c receive.autogc=false receive-pack"
_FIRST = re.compile(
    r"rejected|non-fast-forward|fetch first|stale info|cannot lock ref|failed to update ref|reference already"
)
_LOCK = re.compile(r"Unable to create '([^']+\.lock)': File exists")
_DAMAGED = re.compile(
    r"not a git repository|bad object|corrupt|unable to read|missing blob|missing tree|is empty|invalid sha1|"
    r"did not send all necessary|unable to find|bad tree|loose object"
)
_DENIED = re.compile(
    r"permission denied|authentication failed|could not read username|error: 40[13]|access denied", re.IGNORECASE
)

_HOLLOW = re.compile(
    r"fatal: Could not read from remote|Please make sure|and the repository exists|Warning: Permanently"
)


@dataclass
class GitRemote:
    """One branch of one repository. `folder` is our bare clone: it can be deleted at any time."""

    folder: Path
    url: str
    branch: str
    author: str
    timeout: float
    clock: Clock
    ssh: str = ""
    tip: str = ""
    found: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def where(self) -> str:
        """Say where this is."""
        return f"{self.url} ({self.branch})"

    def listing(self) -> Listing:
        """Fetch, and say what the branch holds. A damaged clone is made anew, once."""
        self._ready()
        try:
            return self._listed()
        except GitFailed as error:
            if not _DAMAGED.search(error.said.casefold()) or self._remote_fault(error):
                raise self._told(error) from error
        shutil.rmtree(self.folder, ignore_errors=True)
        self._ready()
        try:
            return self._listed()
        except GitFailed as error:
            raise self._told(error) from error

    def read(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Give files by the objects that the listing named."""
        for some in self._batches(paths):
            try:
                out = self._git("cat-file", "--batch", data="".join(f"{self.found[p]}\n" for p in some).encode())
            except GitFailed as error:
                raise self._told(error) from error
            at = 0
            for path in some:
                end = out.index(b"\n", at)
                size = int(out[at:end].rsplit(b" ", 1)[1])
                yield path, out[end + 1 : end + 1 + size]
                at = end + size + 2

    def _batches(self, paths: Sequence[str]) -> Iterator[list[str]]:
        """Yield paths in portions that fit into memory."""
        some: list[str] = []
        held = 0
        for path in paths:
            if some and (len(some) == _BATCH or held + self.sizes[path] > _HELD):
                yield some
                some, held = [], 0
            some.append(path)
            held += self.sizes[path]
        if some:
            yield some

    def publish(self, changes: Mapping[str, bytes | None], note: str) -> dict[str, str]:
        """Commit the changes on top of what was listed, and push. Nothing but these paths changes."""
        try:
            self._git("fast-import", "--quiet", "--force", "--done", data=self._stream(changes, note))
            self._push(_OURS)
            tip = self._git("rev-parse", _OURS).decode().strip()
            self._git("update-ref", "refs/remotes/origin/" + self.branch, tip)
            self.tip, listing = tip, self._of(tip)
        except GitFailed as error:
            if _FIRST.search(error.said):
                raise Contended(self._locked(error)) from error
            raise self._told(error) from error
        return {path: listing.versions.get(path, "") for path, data in changes.items() if data is not None}

    def drop_history(self, note: str) -> None:
        """Replace the branch by one commit without parents, if nobody was first; then forget the old objects here."""
        if not self.tip:
            return
        try:
            made = self._git("commit-tree", f"{self.tip}^{{tree}}", "-m", note, env=self._who()).decode().strip()
            self._git("update-ref", _OURS, made)
            self._push(_OURS, f"--force-with-lease=refs/heads/{self.branch}:{self.tip}")
        except GitFailed as error:
            if _FIRST.search(error.said):
                raise Contended(self._locked(error)) from error
            raise self._told(error) from error
        shutil.rmtree(self.folder, ignore_errors=True)

    def _locked(self, error: GitFailed) -> str:
        """Return the lock in the repository that stood in the way; one left by a killed program stays until removed."""
        found = _LOCK.search(error.said)
        return found[1] if found else ""

    def tidy(self) -> None:
        """Pack what has gathered in the clone; it is only a matter of space."""
        with contextlib.suppress(GitFailed):
            git(self.folder, "-c", "gc.auto=2000", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet",
                env=environment(), timeout=self.timeout)  # fmt: skip

    def _ready(self) -> None:
        """Make the clone when there is none, and take away the locks of a process that was killed: only we use it."""
        private_dir(self.folder.parent)
        if not (self.folder / "HEAD").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            try:
                git(None, "init", "--quiet", "--bare", "--template=", str(self.folder), env=environment(), timeout=60)
            except GitFailed as error:
                raise NightschoolError("cannot make a clone", where=self.folder, why=error.said) from error
        for lock in self.folder.rglob("*.lock"):
            lock.unlink(missing_ok=True)

    def _listed(self) -> Listing:
        self._git("fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "--",
                  self.url, "+refs/heads/*:refs/remotes/origin/*")  # fmt: skip
        ref = f"refs/remotes/origin/{self.branch}"
        told = self._git("for-each-ref", "--format=%(objectname)", ref).decode().split()
        self.tip = told[0] if told else ""
        return self._of(self.tip) if self.tip else Listing()

    def _of(self, tip: str) -> Listing:
        listing = Listing()
        entries = self._git("ls-tree", "-r", "-l", "-z", "--full-tree", tip).split(b"\0")
        for entry in filter(None, entries):
            facts, raw = entry.split(b"\t", 1)
            mode, kind, sha, size = facts.decode().split()
            path = raw.decode(errors="surrogateescape")
            if mode not in {"100644", "100755"} or kind != "blob":
                listing.refused[ascii(path)] = "it is a link or another repository"
            elif int(size) > LARGEST:
                listing.refused[ascii(path)] = f"it is larger than {LARGEST:,} bytes"
            else:
                listing.versions[path] = sha
                self.sizes[path] = int(size)
        listing.sift()
        self.found = listing.versions
        return listing

    def _stream(self, changes: Mapping[str, bytes | None], note: str) -> bytes:
        """Return the commit in the language of fast-import."""
        who = self._who()
        name = f"{who['GIT_AUTHOR_NAME']} <{who['GIT_AUTHOR_EMAIL']}> {int(self.clock.now().timestamp())} +0000"
        message = note.encode()
        parts = [f"commit {_OURS}\nauthor {name}\ncommitter {name}\ndata {len(message)}\n".encode(), message, b"\n"]
        parts += [f"from {self.tip}\n".encode()] if self.tip else []
        for path, data in changes.items():
            if data is None:
                parts.append(f"D {path}\n".encode())
            else:
                parts += [f"M 100644 inline {path}\ndata {len(data)}\n".encode(), data, b"\n"]
        reset = b"" if self.tip else f"reset {_OURS}\n".encode()
        return b"".join([reset, *parts, b"done\n"])

    def _push(self, ref: str, *flags: str) -> None:
        # in a directory it is this machine that receives: hooks that lie there may be anybody's who can write there
        flags = (f"--receive-pack={_RECEIVES}", *flags) if self._local() else flags
        self._git("push", "--quiet", "--no-verify", *flags, "--", self.url, f"{ref}:refs/heads/{self.branch}")

    def _local(self) -> bool:
        return self.url.startswith("/") or self.url.casefold().startswith("file:")

    def _who(self) -> dict[str, str]:
        """Return who commits: the name told in the settings, never the user's address."""
        name = re.sub(r"[<>\n\0]", "", self.author).strip() or "nightschool"
        told = {"NAME": name, "EMAIL": "nightschool@localhost"}
        return {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in told.items()}

    def _git(self, *words: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        return git(self.folder, *words, env=environment(self.ssh) | dict(env or {}), timeout=self.timeout, data=data)

    def _remote_fault(self, error: GitFailed) -> bool:
        """Tell whether it is the other side that says so: making our clone anew would mend nothing."""
        return "remote repository" in error.said or "does not appear to be" in error.said

    def _told(self, error: GitFailed) -> NightschoolError:
        lines = [line for line in error.said.splitlines() if line.strip() and not _HOLLOW.match(line)]
        why = next((line for line in lines if line.startswith(("fatal", "ERROR", "remote", "error"))), "")
        why = why or (lines[0] if lines else f"git ended with {error.code}")
        if _DENIED.search(error.said):
            fix = "Give the deploy key the right to write (nightschool setup shows it), or log in with your own git."
            return Unreachable("the repository lets us not in", where=self.url, why=why, fix=fix)
        fix = "Nothing is lost: nightschool sync goes on when it can be reached."
        return Unreachable("the repository cannot be reached", where=self.url, why=why, fix=fix)
