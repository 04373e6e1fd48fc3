"""What the AWS CLI's workflows share: files of a known age, an own configuration, and how a command ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.clients.awscli import AwsCli
from harness.clients.base import Observed
from harness.expect import body, ok
from harness.scene import PART, Scene
from harness.signals import Inexpressible
from scenarios.workflows._steps import exits, program, write

HOUR = 3600

PARTS = {"multipart_threshold": str(PART), "multipart_chunksize": str(PART)}
"""Transfers in parts of 5 MiB from 5 MiB on; the AWS CLI's own default is 8 MiB for both."""


def written(folder: Path, files: Mapping[str, bytes], age: float = HOUR) -> Path:
    """Files by their relative paths, last modified `age` seconds ago; the folder.

    Listings show whole seconds: a file of this very second would look newer than the object made of it.
    """
    return write(folder, files, time.time_ns() - int(age * 1_000_000_000))


def configured(s3: Scene, settings: Mapping[str, str]) -> dict[str, str]:
    """Variables that name a configuration file with these settings in its section `s3`, beside those of the run."""
    client = program(s3)
    if not isinstance(client, AwsCli):
        raise Inexpressible(f"{client.name} has no configuration of the AWS CLI")
    return {"AWS_CONFIG_FILE": client.configured(settings)}


def copy_source(s3: Scene, key: str) -> str:
    """An object of the cell's bucket as the header x-amz-copy-source names it."""
    return quote(f"{s3.bucket}/{key}")


def done(s3: Scene, run: Observed, operation: str, **params: Any) -> None:
    """A command ended with exit code 0.

    Where it did not, the witness asks for the operation that the command rests on, so that the refusal of a store
    that documents to have no such operation is seen for what it is.

    Raises:
        Mismatch: the operation is refused to the witness too; or it is not, and the command failed all the same.
    """
    if run.exit_code != 0:
        s3.expect(s3.look(operation, **params), ok())
    s3.expect(run, exits(0))


def holds(s3: Scene, objects: Mapping[str, bytes]) -> None:
    """Below the cell's prefix are these objects with these bytes, by key, and no others."""
    listing = s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok())
    s3.check(same(listing.keys, objects), f"the keys {sorted(objects)}", f"there are {sorted(listing.keys)}", listing)
    for key, content in objects.items():
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content))


def same(found: Iterable[str], expected: Iterable[str]) -> bool:
    """Whether two lists have the same names, each once, in whatever order."""
    return sorted(found) == sorted(set(expected))
