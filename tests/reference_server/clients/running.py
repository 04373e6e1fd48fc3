"""A reference server as a process of its own, and what a test sees of it without the program under test."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3.session
from botocore.config import Config

ROOT = Path(__file__).parents[3]
STOP_SECONDS = 20
_numbers = itertools.count()


@dataclass(frozen=True)
class Site:
    """A server that answers, and a folder for the programs that use it.

    Attributes:
        ca_bundle: file with what clients must trust; none where the server speaks plain http.
    """

    endpoint: str
    access_key: str
    secret_key: str
    region: str
    folder: Path
    ca_bundle: Path | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return self.endpoint.partition("://")[2]

    def boto3(self, **config: Any) -> Any:
        """A boto3 client that never retries; `config` adds to its settings."""
        session = boto3.session.Session(self.access_key, self.secret_key, region_name=self.region)
        settings = Config(retries={"total_max_attempts": 1}, proxies={}).merge(Config(**config))
        verify = str(self.ca_bundle) if self.ca_bundle else None
        return session.client("s3", endpoint_url=self.endpoint, config=settings, verify=verify)

    @functools.cached_property
    def s3(self) -> Any:
        """One boto3 client for all that tests prepare and look at."""
        return self.boto3()

    def bucket(self, **options: Any) -> str:
        """A new bucket with a name of its own; options go to CreateBucket."""
        name = f"clients-{os.getpid()}-{next(_numbers)}"
        self.s3.create_bucket(Bucket=name, **options)
        return name

    def put(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Store bodies by key."""
        for key, body in objects.items():
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def head(self, bucket: str, key: str) -> dict[str, Any]:
        """HeadObject with the checksums."""
        found: dict[str, Any] = self.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        return found

    def stored(self, bucket: str) -> dict[str, bytes]:
        """Every key of a bucket with its bytes, read one by one; boto3 holds them to their checksums."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: self._read(Bucket=bucket, Key=key) for key in keys}

    def versions(self, bucket: str) -> list[tuple[str, bytes]]:
        """Key and bytes of every version, keys in order and newest first in each."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        found = [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", [])]
        return [(key, self._read(Bucket=bucket, Key=key, VersionId=version)) for key, version in found]

    def markers(self, bucket: str) -> list[str]:
        """The key of every delete marker."""
        return [one["Key"] for one in self.s3.list_object_versions(Bucket=bucket).get("DeleteMarkers", [])]

    def uploads(self, bucket: str) -> list[str]:
        """Keys of the multipart uploads in progress."""
        return [one["Key"] for one in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]

    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]

    def _read(self, **where: str) -> bytes:
        body: bytes = self.s3.get_object(**where)["Body"].read()
        return body


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Site]:
    """`python -m reference_server` on a free port until the block ends; it must end well and have nothing to say."""
    errors = folder / "server-errors.txt"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    with (
        errors.open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-m", "reference_server", "--json", "--until-eof", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            bundle = Path(facts.pop("ca_bundle")) if "ca_bundle" in facts else None
            site = Site(**facts, folder=folder, ca_bundle=bundle)
            with closing(site.s3):
                yield site
            process.stdin.close()
            assert process.wait(STOP_SECONDS) == 0
        finally:
            if process.poll() is None:
                process.kill()
    assert errors.read_text() == ""
