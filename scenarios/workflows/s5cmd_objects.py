"""s5cmd with single objects and lists of them: `mb`, `ls`, `cp`, `cat`, `head`, `du`, `presign`, `run`."""

from __future__ import annotations

import json

from harness.expect import Matcher, body, keys, ok, output, prefixes, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault
from scenarios.etag import md5_etag
from scenarios.workflows.awscli_tools import exits, operations, prints, tells
from scenarios.workflows.batch_deletes import requests
from scenarios.workflows.rclone_steps import LARGE, files, finished, found, holds, lines, stored

NAMES = {"a b+c.txt": b"first", "sub/é%41.txt": b"second, longer", "sub/empty": b""}
"""Names that are percent-encoded in a request, one of which looks as if it already were; and an empty object."""
SIZES = sum(map(len, NAMES.values()))


def place(s3: Scene, name: str = "") -> str:
    """The cell's place, or something below it, as s5cmd's commands take it."""
    return f"s3://{s3.bucket}/{s3.prefix}{name}"


def listed(entries: dict[str, bytes]) -> Matcher:
    """`s5cmd ls` showed exactly these names with their sizes, each once."""
    wanted = sorted((name, len(content)) for name, content in entries.items())

    def test(seen: object) -> str:
        shown = []
        for line in lines(seen):  # type: ignore[arg-type]
            size, _, name = line[20:].lstrip().partition("  ")
            shown.append((name, int(size)) if size.isdigit() else (name, -1))
        return "" if sorted(shown) == wanted else f"it showed {sorted(shown)}"

    return Matcher(f"a listing of {wanted}", test)
