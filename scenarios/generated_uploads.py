"""GEN: lists of unfinished uploads and of their parts, with keys, part numbers and pages that are generated."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import Matcher, ok, output_where, prefixes
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios._generated import generate, quoted
from scenarios._generated_trees import Forest, Question, expect_all, names, outside, questions, walk
from scenarios._listing import Entry, listing, ordered
from scenarios._uploads import identified
from scenarios.etag import md5_etag
from scenarios.mpu import begin, store

NUMBERS = (1, 2, 3, 9, 10, 11, 99, 100, 101, 1000, 2000, 9999, 10000)
"""Part numbers that sort otherwise as texts, and both ends of what S3 takes."""


class Uploads(NamedTuple):
    """Keys of uploads in the order of their beginning, some of them twice, and what is asked."""

    keys: tuple[str, ...]
    questions: tuple[Question, ...]

    def words(self) -> str:
        """For the report."""
        return f"uploads of {quoted(self.keys)}; listed with " + "; and ".join(
            each.words("key-marker").replace("max-keys", "max-uploads") for each in self.questions
        )


def _uploads(st: ModuleType) -> Any:
    def with_questions(keys: tuple[str, ...]) -> Any:
        return st.builds(Uploads, st.just(keys), questions(st, keys, ("/", "-")))

    keys = st.builds(lambda keys, again: (*keys, *keys[:again]), names(st, 5), st.integers(0, 3))
    return keys.flatmap(with_questions)


def _shown(expected: list[str]) -> Matcher:
    """The keys of the uploads on a page, in this order."""

    def test(seen: Observed) -> str:
        found = [key for key, _ in identified(seen)]
        return "" if found == expected else f"they were {quoted(found)}"

    return Matcher(f"uploads of {quoted(expected)}", test)


def _following(s3: Scene, page: Observed) -> dict[str, Any] | None:
    if page.output.get("IsTruncated") is not True:
        return None
    key, upload = page.output.get("NextKeyMarker"), page.output.get("NextUploadIdMarker")
    key = key or (page.prefixes or [""])[-1]  # S3 leaves both empty behind a common prefix (LMU-010)
    s3.check(bool(key), "a way on: NextKeyMarker, or a last common prefix", "the page has neither", page)
    return {"KeyMarker": key} | ({"UploadIdMarker": upload} if upload else {})


@scenario(
    "GEN-004",
    MUST,
    "ListMultipartUploads",
    source="AWS API reference, ListMultipartUploads; the model is a fold over the sorted keys",
    clients=("raw", "boto3"),
)
def upload_listings(s3: Scene) -> None:
    """ListMultipartUploads shows every unfinished upload once, by key, for any prefix, delimiter, marker and page size.

    S3 promises: uploads come by the UTF-8 bytes of their keys, also several of one key; prefix and delimiter fold
    them like objects; the two markers of a truncated page lead on without a gap or a repetition, in the middle of a
    key too, and a key-marker alone skips all uploads of its key.

    Breaks: what cleans up after broken transfers (`rclone cleanup`, `s3cmd multipart`, lifecycle jobs) misses uploads
    whose parts are paid for until somebody finds them, or aborts in circles.

    Fix: order by key and upload, and continue behind the pair of both markers.
    """
    forest = Forest(s3)

    def check(example: Uploads) -> None:
        def planting(place: str) -> tuple[str, list[tuple[str, str]]]:
            begun = [begin(s3, place + key) for key in example.keys]
            return place, [(upload["Key"], upload["UploadId"]) for upload in begun]

        place, begun = forest.plant(example.keys, planting)
        for question in example.questions:
            _ask(s3, question, place, begun, outside(example.keys, question, place))

    generate(s3, "GEN-004", _uploads, check, Uploads.words, examples=30)


def _ask(s3: Scene, question: Question, place: str, begun: list[tuple[str, str]], after: str) -> None:
    asked: dict[str, Any] = {"Prefix": place + question.prefix}
    asked |= {"Delimiter": question.delimiter} if question.delimiter else {}
    asked |= {"MaxUploads": question.size} if question.size else {}
    first = {"KeyMarker": after} if after else {}
    pages = walk(
        lambda **markers: s3.call("ListMultipartUploads", **asked, **(markers or first)),
        lambda page: _following(s3, page),
        most=30,
    )
    expected = _expected(begun, place + question.prefix, question.delimiter, after)
    shown, page, seen = 0, None, list[tuple[str, str]]()
    for page in pages:
        s3.expect(page, ok())
        count = len(identified(page)) + len(page.prefixes)
        part = expected[shown : shown + count]
        s3.expect(page, _shown([name for name, folded in part if not folded]))
        s3.expect(page, prefixes([name for name, folded in part if folded]))
        s3.check(not question.size or count <= question.size, f"at most {question.size}", f"there are {count}", page)
        seen += identified(page)
        again = [upload for upload in seen if seen.count(upload) > 1 or upload not in begun]
        s3.check(not again, "each upload once, none unknown", f"{again[:1]} came again, or was never begun", page)
        shown += count
    expect_all(s3, shown, len(expected), page)


def _expected(begun: list[tuple[str, str]], prefix: str, delimiter: str, after: str) -> list[Entry]:
    """The fold of `listing`, with a line for each upload of a key instead of one for the key."""
    keys = [key for key, _ in begun]
    entries = listing(ordered(keys), prefix, delimiter, after).entries
    return [entry for entry in entries for _ in range(1 if entry.folded else keys.count(entry.name))]


class Parts(NamedTuple):
    """Part numbers in the order of their upload, and pairs of part-number-marker and max-parts (0: not given)."""

    numbers: tuple[int, ...]
    questions: tuple[tuple[int, int], ...]

    def words(self) -> str:
        """For the report."""
        asked = [f"part-number-marker {marker}, max-parts {size or 'not given'}" for marker, size in self.questions]
        return f"parts {list(self.numbers)}; listed with {'; and '.join(asked)}"


def _parts(st: ModuleType) -> Any:
    numbers = st.lists(st.sampled_from(NUMBERS), max_size=7, unique=True).map(tuple)
    question = st.tuples(st.sampled_from((0, *NUMBERS, 5, 500)), st.integers(0, 4))
    return st.builds(Parts, numbers, st.lists(question, min_size=1, max_size=4).map(tuple))


@scenario(
    "GEN-005",
    MUST,
    "ListParts",
    source="AWS API reference, ListParts; the model is the sorted part numbers",
    clients=("raw", "boto3"),
)
def part_listings(s3: Scene) -> None:
    """ListParts shows the parts of an upload by number, with their ETags and sizes, from any marker on, on any pages.

    S3 promises: parts come by their number, as numbers and not as texts, whatever the order of their upload and
    however large the gaps; the marker is exclusive and need not be the number of a part; the pages give every part
    once.

    Breaks: programs that resume a large upload (the SDKs' transfer managers, s3cmd, rclone) ask which parts are there.
    A part that is not listed is sent again, one that is listed wrongly makes the completion fail.

    Fix: sort and compare part numbers as integers, and continue behind the last number shown.
    """
    forest = Forest(s3)

    def check(example: Parts) -> None:
        def planting(place: str) -> dict[str, Any]:
            upload = begin(s3, place + "upload")
            for number in example.numbers:
                store(s3, upload, number, _content(number))
            return upload

        upload = forest.plant(example.numbers, planting)
        for marker, size in example.questions:
            asked = upload | ({"MaxParts": size} if size else {})
            begun = {"PartNumberMarker": marker} if marker else {}
            expected = [number for number in sorted(example.numbers) if number > marker]
            _expect_parts(s3, expected, size, _part_pages(s3, asked, begun))

    generate(s3, "GEN-005", _parts, check, Parts.words, examples=25)


def _content(number: int) -> bytes:
    return b"part %d" % number


def _part_pages(s3: Scene, asked: dict[str, Any], begun: dict[str, Any]) -> Iterator[Observed]:
    def following(page: Observed) -> dict[str, Any] | None:
        if page.output.get("IsTruncated") is not True:
            return None
        number = output_where("NextPartNumberMarker", "a number, since the page is truncated", _is_number)
        s3.expect(page, number)
        return {"PartNumberMarker": page.output["NextPartNumberMarker"]}

    return walk(lambda **marker: s3.call("ListParts", **asked, **(marker or begun)), following, most=20)


def _is_number(value: Any) -> bool:
    return isinstance(value, int)


def _expect_parts(s3: Scene, expected: list[int], size: int, pages: Iterator[Observed]) -> None:
    shown, page = 0, None
    for page in pages:
        s3.expect(page, ok())
        found = [(part.get("PartNumber"), part.get("ETag"), part.get("Size")) for part in page.output.get("Parts", [])]
        part = [(n, md5_etag(_content(n)), len(_content(n))) for n in expected[shown : shown + len(found)]]
        s3.check(found == part, f"ListParts: number, ETag and size {part}", f"ListParts shows {found}", page)
        s3.check(not size or len(found) <= size, f"at most {size} parts on a page", f"there are {len(found)}", page)
        shown += len(found)
    expect_all(s3, shown, len(expected), page)
