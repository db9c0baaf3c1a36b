"""A bucket, over the real protocol: a server process on loopback, two writers, and a crash in the middle of a write."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from tests.core.test_sync import CLOCK, block, proof, sync

from nightschool.config import Sync
from nightschool.memory.blocks import BlockStore
from nightschool.night import evidence
from nightschool.paths import Home
from nightschool.sync import service
from nightschool.sync.remote import Contended, Unreachable

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def bucket(monkeypatch):
    """Serve a bucket; return the settings for a prefix of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            break
        time.sleep(0.1)
    endpoint = f"http://127.0.0.1:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="memory")
    yield Sync(backend="s3", url="s3://memory/me", endpoint=endpoint, region="us-east-1")
    client.close()
    server.terminate()
    server.wait()


@pytest.fixture
def two(tmp_path):
    """Return the homes of two machines."""
    return Home(tmp_path / "a"), Home(tmp_path / "b")


def test_two_machines_share_a_bucket(two, bucket):
    """Both wrote, neither loses anything, one change is one object, and an exchange with nothing new sends nothing."""
    a, b = two
    for home, mark in ((a, "a"), (b, "b")):
        BlockStore(home).save(block(mark))
        evidence.save(home, proof(f"only-{mark}"))
    for home in (a, b, a):
        sync(home, bucket)
    for home in two:
        assert {one.id for one in BlockStore(home).all()} == {"a", "b"}
        assert {p.family for e in evidence.everything(home) for p in e.pairs} == {"only-a", "only-b"}
        sync(home, bucket)
    BlockStore(a).save(block("a", "changed"))
    assert sync(a, bucket).sent == ["blocks/a.json"]
    assert sync(a, bucket).sent == []


def test_a_writer_that_was_second_is_told_so(two, bucket):
    """A listing that is behind overwrites nothing: neither an object that has changed nor one that is new."""
    late = service.opened(two[0], bucket, CLOCK)
    late.listing()
    early = service.opened(two[1], bucket, CLOCK)
    early.listing()
    early.publish({"blocks/x.json": b"early"}, "")
    with pytest.raises(Contended):
        late.publish({"blocks/x.json": b"late"}, "")
    late.listing()
    early.listing()
    early.publish({"blocks/x.json": b"earlier"}, "")
    with pytest.raises(Contended):
        late.publish({"blocks/x.json": b"late"}, "")
    early.listing()
    assert dict(early.read(["blocks/x.json"])) == {"blocks/x.json": b"earlier"}


def test_writers_at_the_same_instant(two, bucket):
    """All that two machines write at once is there afterwards."""

    def write(home, mark):
        for number in range(5):
            BlockStore(home).save(block(f"{mark}{number}"))
            known = evidence.everything(home) or [proof()]
            evidence.save(home, evidence.with_pairs(known[0], proof(f"{mark}{number}").pairs))
            sync(home, bucket)

    threads = [threading.Thread(target=write, args=(home, mark)) for home, mark in zip(two, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for home in (*two, *two):
        sync(home, bucket)
    for home in two:
        assert {one.id for one in BlockStore(home).all()} == {f"{m}{n}" for m in "ab" for n in range(5)}
        assert {f"{m}{n}" for m in "ab" for n in range(5)} <= {
            p.family for e in evidence.everything(home) for p in e.pairs
        }


def test_what_others_put_in_the_way_stops_nobody(two, bucket):
    """A name that differs in case alone, and an object too large to be read: told, and everything else goes on."""
    a, b = two
    for name in ("d-1", "d-2"):
        BlockStore(a).save(block(name))
    sync(a, bucket)
    there = service.opened(b, bucket, CLOCK)
    there.listing()
    there.publish(
        {"blocks/D-1.json": block("D-1").model_dump_json().encode(), "blocks/d-2.json": b" " * 50_000_001}, ""
    )
    BlockStore(a).save(block("d-3"))
    assert len(sync(a, bucket).refused) == 2
    sync(b, bucket)
    assert {one.id for one in BlockStore(b).all()} == {"D-1", "d-2", "d-3"}
    sync(a, bucket)
    assert sync(a, bucket).sent == sync(b, bucket).sent == []


def test_a_machine_killed_in_the_middle(two, bucket):
    """What was sent before is whole, what was not comes the next time, and nothing is there in part."""
    a, b = two
    for number in range(60):
        BlockStore(a).save(block(f"d-{number:02}"))
    (a.root / "config.toml").write_text(
        f'[sync]\nbackend = "s3"\nurl = "{bucket.url}"\nendpoint = "{bucket.endpoint}"\nregion = "us-east-1"\n'
    )
    env = os.environ | {"NIGHTSCHOOL_HOME": str(a.root)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "nightschool", "sync"], env=env, **quiet)
    remote = service.opened(b, bucket, CLOCK)
    while len(remote.listing().versions) < 5:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = sync(b, bucket)
    assert first.refused == {}
    sync(a, bucket)
    sync(b, bucket)
    assert len(list(BlockStore(b).all())) == 60


def test_offline_is_one_line(two, bucket):
    """A service that is not there is told, and nothing is lost."""
    away = bucket.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    with pytest.raises(Unreachable, match="the bucket cannot be reached"):
        sync(two[0], away)
