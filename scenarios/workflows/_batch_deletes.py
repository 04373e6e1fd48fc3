"""Commands that delete many keys by one request: what DeleteObjects answered for each key is what happened to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import ok, refused
from harness.scene import Scene
from harness.wire.xml import Node, XMLError, parse
from scenarios.workflows._refusals import error_code, one_object
from scenarios.workflows._steps import requests


class Reason(NamedTuple):
    """Why a key was not deleted: the error code, or the status where there is none, and the message."""

    code: str
    message: str


class Answers(NamedTuple):
    """What the endpoint said of the keys that it was asked to delete.

    Attributes:
        kept: why each key was not deleted that was not, whether by itself or with its whole request.
        whole: the error codes of requests that were refused as a whole.
    """

    kept: dict[str, Reason]
    whole: tuple[str, ...]


def answered(s3: Scene, run: Observed, keys: Collection[str], listing: str, **params: Any) -> Answers:
    """What DeleteObjects answered to a command for these keys.

    Where the command failed without sending one, the witness lists as the command did (`listing` with `params`), so
    that the refusal of a store that documents to have no such listing is seen for what it is.

    Raises:
        Mismatch: a key was not asked to be deleted.
    """
    batches = requests(s3, run, "DeleteObjects")
    if not batches and not run.ok:
        s3.expect(s3.look(listing, **params), ok())
    said = run.stderr.strip()[-300:]
    s3.check(bool(batches), "a DeleteObjects request", f"none was sent; it said {said!r}", run)
    asked: set[str] = set()
    kept: dict[str, Reason] = {}
    whole: list[str] = []
    for batch in batches:
        names = [key for key, _ in _entries(batch.request_body.text, "Object")]
        asked |= set(names)
        if batch.status != 200:
            whole.append(error_code(batch) or str(batch.status))
            kept |= dict.fromkeys(names, Reason(whole[-1], ""))
        else:
            errors = _entries(batch.response_body.text, "Error")
            kept |= {key: Reason(entry.get("Code") or "", entry.get("Message") or "") for key, entry in errors}
        if batch.status != 200 and not names:  # refused before its document was sent to the end
            asked, kept = set(keys), dict.fromkeys(keys, Reason(whole[-1], ""))
    missing = sorted(set(keys) - asked)
    s3.check(not missing, f"every key in a DeleteObjects: {sorted(keys)}", f"without {missing}; it said {said!r}", run)
    return Answers({key: reason for key, reason in kept.items() if key in set(keys)}, tuple(whole))


def truthful(s3: Scene, answers: Answers, objects: Mapping[str, bytes], bucket: str = "") -> None:
    """Keys that were refused are whole, all others are gone; and who refuses batches refuses single deletes too."""
    place = bucket or s3.bucket
    for key, content in objects.items():
        found = s3.look("GetObject", Bucket=place, Key=key)
        s3.expect(found, one_object(content) if key in answers.kept else refused(404, "NoSuchKey"))
    if answers.whole:
        key = next(iter(answers.kept))
        single = s3.look("DeleteObject", Bucket=place, Key=key)
        text = f"DeleteObjects as well as DeleteObject, but it was refused ({answers.whole[0]})"
        s3.check(not single.ok, text, "DeleteObject of the same key is granted", single)


def told(s3: Scene, run: Observed, answers: Answers, *exit_codes: int) -> None:
    """Exit code 0 after success; after a refusal one of these, and its code or its message for the user to read."""
    if not answers.kept:
        s3.expect(run, ok())
        return
    text = f"exit code {' or '.join(map(str, exit_codes))} after a refusal"
    s3.check(run.exit_code in exit_codes, text, f"got {run.summary()}", run)
    reasons = sorted({text for reason in answers.kept.values() for text in reason if text})
    said = run.stderr + run.stdout
    named = any(text in said for text in reasons)
    s3.check(named, f"a reason is told ({', '.join(reasons)})", f"it said {said.strip()[-300:]!r}", run)


def _entries(text: str, tag: str) -> list[tuple[str, Node]]:
    """The entries of a document, with the key of each."""
    try:
        return [(entry.get("Key") or "", entry) for entry in parse(text.encode()).all(tag)]
    except XMLError:
        return []
