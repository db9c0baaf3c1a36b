"""A bucket of an S3-compatible service as the place to share things in.

Each file is one object. It is written on the condition that it is still what was listed (`If-Match` with its ETag), or
still not there (`If-None-Match: *`): of two machines that write at once one is told so, reads again, and merges. An
object is there whole or not at all, so a crash in the middle leaves what was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from nightschool.config import Sync
from nightschool.errors import NightschoolError
from nightschool.sync.remote import LARGEST, Contended, Listing, Unreachable

_FIRST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


@dataclass
class S3Remote:
    """The objects below a prefix of one bucket. `client` is boto3's."""

    client: Any
    bucket: str
    prefix: str
    found: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sync) -> "S3Remote":
        """Open the bucket of `s3://BUCKET/PREFIX`; who we are is boto3's to find out. Raises NightschoolError."""
        try:
            boto3, botocore = import_module("boto3"), import_module("botocore.config")
        except ImportError as error:
            fix = "Install it with its extra: nightschool[s3]."
            raise NightschoolError("buckets need a client that is not installed", why=error, fix=fix) from error
        bucket, _, prefix = rules.url.removeprefix("s3://").partition("/")
        prefix = prefix.strip("/")
        settings = botocore.Config(connect_timeout=10, read_timeout=rules.timeout, retries={"max_attempts": 2})
        client = boto3.client(
            "s3", endpoint_url=rules.endpoint or None, region_name=rules.region or None, config=settings
        )
        return cls(client, bucket, f"{prefix}/" if prefix else "")

    def where(self) -> str:
        """Say where this is."""
        return f"s3://{self.bucket}/{self.prefix}"

    def listing(self) -> Listing:
        """List every object below the prefix, with its ETag."""
        listing, self.found = Listing(), {}
        with _told(self.where()):
            self._refuse_public()
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
                for entry in page.get("Contents", ()):
                    path = entry["Key"].removeprefix(self.prefix)
                    self.found[path] = entry["ETag"]  # also of what is refused: ours may take its place
                    if entry["Size"] > LARGEST:
                        listing.refused[ascii(path)] = f"it is larger than {LARGEST:,} bytes"
                    else:
                        listing.versions[path] = entry["ETag"]
        listing.sift()
        return listing

    def read(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Get objects as they were listed; one that has changed since is left for the next listing."""
        for path in paths:
            try:
                with _told(self.where()):
                    told = self.client.get_object(Bucket=self.bucket, Key=self.prefix + path, IfMatch=self.found[path])
                    data = told["Body"].read(LARGEST + 1)
            except (Contended, FileNotFoundError):
                continue
            yield path, data

    def publish(self, changes: Mapping[str, bytes | None], note: str) -> dict[str, str]:  # noqa: ARG002  no history
        """Put each object on its condition. Raises Contended at the first that is not as it was listed."""
        versions = {}
        for path, data in changes.items():
            known = self.found.get(path)
            with _told(self.where()):
                if data is None:
                    self.client.delete_object(Bucket=self.bucket, Key=self.prefix + path)
                    continue
                condition = {"IfMatch": known} if known else {"IfNoneMatch": "*"}
                told = self.client.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=data, **condition)
                versions[path] = told["ETag"]
        return versions

    def _refuse_public(self) -> None:
        """Raise NightschoolError when the bucket's policy or list of rights lets everybody read. Once a process."""
        if getattr(self, "_looked", False):
            return
        self._looked = True
        try:
            told = self.client.get_bucket_acl(Bucket=self.bucket)
        except Exception:  # noqa: BLE001  many services have no such list, or do not show it
            return
        everybody = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
        if any(grant.get("Grantee", {}).get("URI", "").endswith(everybody) for grant in told.get("Grants", ())):
            fix = "Make it private: what your sessions show would be there for everybody."
            raise NightschoolError("anybody can read this bucket", where=self.where(), fix=fix)


class _told:  # noqa: N801  a context, written like a function
    """Turn the client's errors into ours."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise Contended for a condition that did not hold, FileNotFoundError for what is gone, else Unreachable."""
        if error is None or isinstance(error, NightschoolError | Contended):
            return
        kinds = import_module("botocore.exceptions")
        if isinstance(error, kinds.ClientError):
            code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
            if code in _FIRST:
                raise Contended from error
            if code in {"NoSuchKey", "404"}:
                raise FileNotFoundError from error
        if isinstance(error, (kinds.ClientError, kinds.BotoCoreError)):
            fix = "Nothing is lost: nightschool sync goes on when it can be reached."
            raise Unreachable("the bucket cannot be reached", where=self.where, why=error, fix=fix) from error
