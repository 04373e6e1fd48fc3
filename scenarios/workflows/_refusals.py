"""Deletes that a store may refuse: what a program must have told, and what must still be there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.clients.base import Observed
from harness.expect import Matcher, body, ok, refused
from harness.scene import Scene
from harness.wire.exchange import Exchange

OBJECTS = {"one.txt": b"first", "two.txt": b"second", "sub/three.txt": b"third"}

CHANGED = b"first, and changed since"
"""What the local one.txt holds: of another size than the stored one, so that every sync has to upload it."""


def stored(s3: Scene) -> Mapping[str, bytes]:
    """Three objects below the cell's prefix, by key."""
    objects = {s3.key(name): content for name, content in OBJECTS.items()}
    for key, content in objects.items():
        s3.put(key, content)
    return objects


def judge(s3: Scene, run: Observed, objects: Mapping[str, bytes], refusal_code: int = 1) -> None:
    """Exit code 0 and every object gone, or the documented exit code with the reason, and every object whole.

    Raises:
        Mismatch: neither; a program that fails without a refusal is not excused.
    """
    s3.check(
        run.exit_code in (0, refusal_code),
        f"exit code 0 after success, {refusal_code} after a refusal",
        f"got {run.summary()}",
        run,
    )
    for key, content in objects.items():
        found = s3.look("GetObject", Key=key)
        s3.expect(found, refused(404, "NoSuchKey") if run.exit_code == 0 else one_object(content))
    if run.exit_code:
        shown = run.stderr.strip()[-300:]
        refusals = [sent for sent in run.exchanges if refused_delete(sent)]
        s3.check(bool(refusals), "exit code 0, or a refused delete", f"no delete was refused; it said {shown!r}", run)
        reasons = ", ".join(sorted({error_code(sent) or str(sent.status) for sent in refusals}))
        wanted = f"standard error names the reason ({reasons})"
        s3.check(any(named(sent, run.stderr) for sent in refusals), wanted, f"it said {shown!r}", run)


def refused_delete(sent: Exchange) -> bool:
    """Whether an exchange is a delete, of one key or of several, that was not done, or not all of it."""
    if sent.method == "POST" and "?delete" in sent.url:
        return (sent.status or 0) >= 400 or "<Error>" in sent.response_body.text
    return sent.method == "DELETE" and (sent.status or 0) >= 400


def named(refusal: Exchange, stderr: str) -> bool:
    """Whether a program told its user of a refusal: its code, or its status."""
    code = error_code(refusal)
    return (code != "" and code in stderr) or re.search(rf"\b{refusal.status}\b", stderr) is not None


def one_object(content: bytes) -> Matcher:
    """A successful read of exactly these bytes."""
    read, same = ok(), body(content)
    return Matcher(f"the object kept, {same.expected}", lambda seen: read.test(seen) or same.test(seen))


def error_code(refusal: Exchange) -> str:
    """The Code of an error document, "" where there is none."""
    return refusal.response_body.text.partition("<Code>")[2].partition("</Code>")[0]


def changed(folder: Path) -> str:
    """A local folder with nothing but another one.txt than the stored one; its path."""
    (folder / "one.txt").write_bytes(CHANGED)
    return str(folder)
