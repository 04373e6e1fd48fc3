"""GEN: histories of keys that are generated: what ListObjectVersions shows of them, and what each version reads as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import absent, body, ok, output, output_where, prefixes, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._generated import generate, quoted
from scenarios._generated_trees import Forest, Question, expect_all, outside, questions, walk
from scenarios._versioned import versioned_bucket
from scenarios._versions import Version, found, versions, write

KEYS = ("a-1", "a/1", "b", "é")
"""Few, so that a key has many versions; none is a folder of another."""

STEPS = (*KEYS, *(f"-{key}" for key in KEYS))
"""A key stores a version, "-" and a key deletes it: see `_versions.write`."""


class History(NamedTuple):
    """What was done, from the oldest to the newest, and what is then asked."""

    steps: tuple[str, ...]
    questions: tuple[Question, ...]

    def words(self) -> str:
        """For the report: steps and questions."""
        return f"steps {quoted(self.steps)}; listed with " + "; and ".join(
            each.words("key-marker") for each in self.questions
        )


def histories(st: ModuleType) -> Any:
    """A strategy of up to nine steps with up to four questions."""

    def with_questions(steps: tuple[str, ...]) -> Any:
        keys = tuple(dict.fromkeys(step.removeprefix("-") for step in steps))
        return st.builds(History, st.just(steps), questions(st, keys, ("/", "-")))

    return st.lists(st.sampled_from(STEPS), max_size=9).map(_possible).flatmap(with_questions)


def _possible(steps: list[str]) -> tuple[str, ...]:
    """The steps without deletes of keys that were never stored, of which stores differ in what they keep."""
    return tuple(step for at, step in enumerate(steps) if step[:1] != "-" or step[1:] in steps[:at])


@contextmanager
def emptied_bucket(s3: Scene) -> Iterator[str]:
    """A bucket that keeps versions; emptying it at the end is no evidence of anything, and is not kept."""
    with ExitStack() as purge:
        bucket = purge.enter_context(versioned_bucket(s3))
        try:
            yield bucket
        finally:
            kept = len(s3.seen)
            purge.close()
            s3.forget(kept)


def folded(entries: Sequence[Version], question: Question, place: str, after: str) -> list[Version | str]:
    """The listing of these versions: each one, or the common prefix that stands for it, in order."""
    shown: list[Version | str] = []
    for entry in entries:
        prefix = place + question.prefix
        if not entry.key.startswith(prefix) or (after and entry.key.encode() <= after.encode()):
            continue
        at = entry.key.find(question.delimiter, len(prefix)) if question.delimiter else -1
        line = entry if at < 0 else entry.key[: at + len(question.delimiter)]
        if line not in shown[-1:]:
            shown.append(line)
    return shown


def _following(s3: Scene, page: Observed) -> dict[str, Any] | None:
    if page.output.get("IsTruncated") is not True:
        s3.expect(page, output("IsTruncated", False), absent("NextKeyMarker"))
        return None
    s3.expect(page, output_where("NextKeyMarker", "there, since the page is truncated", bool))
    version = page.output.get("NextVersionIdMarker")
    return {"KeyMarker": page.output["NextKeyMarker"]} | ({"VersionIdMarker": version} if version else {})


def _asked(s3: Scene, bucket: str, question: Question, place: str, after: str) -> Iterator[Observed]:
    params: dict[str, Any] = {"Bucket": bucket, "Prefix": place + question.prefix}
    params |= {"Delimiter": question.delimiter} if question.delimiter else {}
    params |= {"MaxKeys": question.size} if question.size else {}
    begin = {"KeyMarker": after} if after else {}
    return walk(
        lambda **markers: s3.call("ListObjectVersions", **params, **(markers or begin)),
        lambda page: _following(s3, page),
        most=30,
    )


def expect_versions(s3: Scene, expected: list[Version | str], size: int, pages: Iterator[Observed]) -> None:
    """The pages show these versions and common prefixes, each once and in order, at most `size` at a time."""
    shown, page = 0, None
    for page in pages:
        s3.expect(page, ok())
        count = len(found(page)) + len(page.prefixes)
        part = expected[shown : shown + count]
        s3.expect(
            page,
            versions([entry for entry in part if isinstance(entry, Version)]),
            prefixes([entry for entry in part if isinstance(entry, str)]),
        )
        s3.check(not size or count <= size, f"a page of at most {size} entries", f"it has {count}", page)
        shown += count
    expect_all(s3, shown, len(expected), page)


@scenario(
    "GEN-003",
    SHOULD,
    "ListObjectVersions",
    source="AWS API reference, ListObjectVersions; the model is a fold over the sorted versions",
    clients=("raw", "boto3"),
)
def version_listings(s3: Scene) -> None:
    """ListObjectVersions shows every version and delete marker of a generated history once, in order, on any pages.

    S3 promises: keys by their UTF-8 bytes, within a key the newest first, and exactly the first of a key is the
    latest; delete markers stand among the versions and count like them; a common prefix stands for all versions
    below it. The two markers of a truncated page lead to the entry behind its last one, also in the middle of a key,
    and a key-marker alone skips the whole key.

    Breaks: programs that expire, restore or purge versions walk these pages. A version left out at a page boundary is
    never expired and keeps the bucket from being deleted; one that comes twice is restored twice.

    Fix: order by key and then by age, and continue behind the pair of both markers, not behind the key alone.
    """
    with emptied_bucket(s3) as bucket:
        forest = Forest(s3)

        def check(history: History) -> None:
            def planting(place: str) -> tuple[str, list[Version]]:
                return place, write(s3, bucket, [_below(place, step) for step in history.steps])

            place, entries = forest.plant(history.steps, planting)
            for question in history.questions:
                after = outside([entry.key.removeprefix(place) for entry in entries], question, place)
                expected = folded(entries, question, place, after)
                expect_versions(s3, expected, question.size, _asked(s3, bucket, question, place, after))

        generate(s3, "GEN-003", histories, check, History.words, examples=30)


def _below(place: str, step: str) -> str:
    return f"-{place}{step[1:]}" if step.startswith("-") else place + step


class Life(NamedTuple):
    """What happens to one key: "put", "delete", or the number of a version, counted from the oldest, to remove."""

    steps: tuple[str | int, ...]

    def words(self) -> str:
        """For the report."""
        told = [step if isinstance(step, str) else f"remove version {step}" for step in self.steps]
        return f"one key: {', '.join(told) or 'nothing'}"


@scenario(
    "GEN-018",
    SHOULD,
    "PutObject",
    "GetObject",
    "DeleteObject",
    source="Amazon S3 User Guide, How S3 Versioning works and Deleting object versions; the model is a list",
    clients=("raw", "boto3"),
)
def version_histories(s3: Scene) -> None:
    """After any sequence of puts, deletes and removals of versions, each version reads as written, the newest plainly.

    S3 promises: every put adds a version and every plain delete a delete marker; removing one by its id removes that
    one for good. A plain GET reads the newest entry that is left, and is 404 if that is a delete marker or there is
    none; a GET with a version id reads exactly that version, for as long as it is there.

    Breaks: undelete (removing the marker) and rollback (removing the newest version) of backup programs and of
    `rclone backend` bring back the wrong bytes, or nothing, when the order of what is left is not kept.

    Fix: keep versions in a list by age and derive the current one from it at every change, markers included.
    """
    with emptied_bucket(s3) as bucket:
        count = iter(range(1_000_000))
        generate(
            s3,
            "GEN-018",
            lambda st: st.lists(st.sampled_from(("put", "delete", 0, 1, 2)), max_size=7).map(tuple).map(Life),
            lambda life: _live(s3, bucket, s3.key(f"{next(count)}"), life),
            Life.words,
            examples=35,
        )


def _live(s3: Scene, bucket: str, key: str, life: Life) -> None:
    """Carry out the steps, and hold every read afterwards to a plain list of (version id, content or None)."""
    made: list[tuple[str, bytes | None]] = []
    for number, step in enumerate(life.steps):
        if step == "put":
            content = f"version of step {number}".encode()
            answer = s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=content), ok())
            made.append((_id(s3, answer), content))
        elif step == "delete" and made:  # of a key without versions not every store keeps a marker (VER-010)
            answer = s3.expect(s3.call("DeleteObject", Bucket=bucket, Key=key), ok(204))
            made.append((_id(s3, answer), None))
        elif isinstance(step, int) and step < len(made):
            s3.expect(s3.call("DeleteObject", Bucket=bucket, Key=key, VersionId=made.pop(step)[0]), ok(204))
    newest = made[-1][1] if made else None
    right = refused(404, "NoSuchKey") if newest is None else body(newest)
    s3.expect(s3.call("GetObject", Bucket=bucket, Key=key), right)
    for version, held in made:
        if held is not None:
            s3.expect(s3.call("GetObject", Bucket=bucket, Key=key, VersionId=version), ok(), body(held))


def _id(s3: Scene, answer: Observed) -> str:
    s3.expect(answer, output_where("VersionId", "there, in a bucket that keeps versions", bool))
    return str(answer.output["VersionId"])
