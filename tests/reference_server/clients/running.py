"""A reference server as a process of its own, and what a test sees of it without the program under test."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
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

    def bucket(self, **options: Any) -> str:
        """A new bucket with a name of its own; options go to CreateBucket."""
        name = f"clients-{os.getpid()}-{next(_numbers)}"
        with closing(self.boto3()) as client:
            client.create_bucket(Bucket=name, **options)
        return name

    def put(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Store bodies by key."""
        with closing(self.boto3()) as client:
            for key, body in objects.items():
                client.put_object(Bucket=bucket, Key=key, Body=body)

    def stored(self, bucket: str) -> dict[str, bytes]:
        """Every key of a bucket with its bytes, read one by one; boto3 holds them to their checksums."""
        with closing(self.boto3()) as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
            return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def head(self, bucket: str, key: str) -> dict[str, Any]:
        """HeadObject with the checksums."""
        with closing(self.boto3()) as client:
            found: dict[str, Any] = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            return found

    def versions(self, bucket: str) -> list[tuple[str, str, int | None]]:
        """Key, version id and size of every version, newest first in each key; a delete marker has no size."""
        with closing(self.boto3()) as client:
            page = client.list_object_versions(Bucket=bucket)
            entries = sorted(
                (*page.get("Versions", []), *page.get("DeleteMarkers", [])),
                key=lambda entry: (entry["Key"], -entry["LastModified"].timestamp()),
            )
            return [(entry["Key"], entry["VersionId"], entry.get("Size")) for entry in entries]

    def uploads(self, bucket: str) -> list[str]:
        """Keys of the multipart uploads in progress."""
        with closing(self.boto3()) as client:
            return [one["Key"] for one in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


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
            yield Site(**facts, folder=folder, ca_bundle=bundle)
            process.stdin.close()
            assert process.wait(STOP_SECONDS) == 0
        finally:
            if process.poll() is None:
                process.kill()
    assert errors.read_text() == ""
