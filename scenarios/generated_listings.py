"""GEN: listings of objects on trees of keys that are generated, against a model by brute force."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from harness.clients.base import Observed
from harness.expect import absent, output, output_where
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios._generated import generate
from scenarios._generated_trees import Forest, Question, Tree, decoded, expect_pages, names, outside, trees, walk
from scenarios._listing import listing

READERS = ("raw", "boto3")
"""The bytes, and the SDK through which most programs see listings."""

FOLDING = ("--", "-a", "/a")
"""Delimiters of several characters: one that overlaps itself, and two that begin like what is no delimiter."""


def folded_names(st: ModuleType) -> Any:
    """Keys in which delimiters of several characters come whole, in part and overlapping, and no slash folders."""
    return names(st, 8, ("a", "-", "b", "aa", "-a", "b-", "--"), "-")


def _asked(s3: Scene, question: Question, place: str) -> dict[str, Any]:
    """The parameters of a question that both versions of the listing have."""
    asked: dict[str, Any] = {"Prefix": place + question.prefix}
    if question.delimiter:
        asked["Delimiter"] = question.delimiter
    if question.size:
        asked["MaxKeys"] = question.size
    if question.encoded and s3.client.name == "raw":  # SDKs ask for it by themselves, and undo it
        asked["EncodingType"] = "url"
    return asked


def list_v2(s3: Scene, forest: Forest, tree: Tree) -> None:
    """Each question asked of the tree with ListObjectsV2, and every page held to the model."""
    place = forest.objects(tree.keys)
    planted = [place + key for key in tree.keys]

    def following(page: Observed) -> dict[str, Any] | None:
        s3.expect(page, output("KeyCount", len(page.keys) + len(page.prefixes)))
        if page.output.get("IsTruncated") is not True:
            s3.expect(page, output("IsTruncated", False), absent("NextContinuationToken"))
            return None
        s3.expect(page, output_where("NextContinuationToken", "there, since the page is truncated", bool))
        return {"ContinuationToken": page.output["NextContinuationToken"]}

    for question in tree.questions:
        after = outside(tree.keys, question, place)
        expected = listing(planted, place + question.prefix, question.delimiter, after)
        asked = _asked(s3, question, place) | ({"StartAfter": after} if after else {})

        def page(asked: dict[str, Any] = asked, **more: Any) -> Observed:
            return decoded(s3.call("ListObjectsV2", **asked, **more))

        expect_pages(s3, expected, question.size, walk(page, following, 2 * len(expected) + 2))


def list_v1(s3: Scene, forest: Forest, tree: Tree) -> None:
    """Each question asked of the tree with ListObjects, and every page held to the model."""
    place = forest.objects(tree.keys)
    planted = [place + key for key in tree.keys]

    def following(page: Observed) -> dict[str, Any] | None:
        if page.output.get("IsTruncated") is not True:
            s3.expect(page, output("IsTruncated", False))
            return None
        marker = page.output.get("NextMarker") or (page.keys or [""])[-1]
        s3.check(bool(marker), "a way on: NextMarker, or a last key", "the page is truncated and has neither", page)
        return {"Marker": marker}

    for question in tree.questions:
        after = outside(tree.keys, question, place)
        expected = listing(planted, place + question.prefix, question.delimiter, after)
        asked = _asked(s3, question, place)

        def page(asked: dict[str, Any] = asked, after: str = after, **more: Any) -> Observed:
            begin = {"Marker": after} if after else {}
            return decoded(s3.call("ListObjects", **asked, **(begin | more)))

        expect_pages(s3, expected, question.size, walk(page, following, 2 * len(expected) + 2))


@scenario(
    "GEN-001",
    MUST,
    "ListObjectsV2",
    source="AWS API reference, ListObjectsV2; the model is a fold over the sorted keys",
    clients=READERS,
)
def listings(s3: Scene) -> None:
    """ListObjectsV2 shows what a fold over the sorted keys shows, for any keys, prefix, delimiter, start and page size.

    S3 promises: take the keys that begin with the prefix and come after start-after, in the order of their UTF-8
    bytes; those with the delimiter behind the prefix become one common prefix each. The pages give every entry once,
    in this order, none has more than max-keys, and the last one says so. encoding-type changes how names are written,
    never which there are.

    Breaks: sync and backup programs take what is listed for all there is: one key lost at a page boundary is copied
    again for ever, or deleted on the other side. Such losses need a certain mixture of keys and page size, which is
    why trees and questions are generated here; the report names the smallest that shows the fault.

    Fix: repeat the example in words with the curl command beside it, and compare with the model: fold, drop what is
    not greater than the marker, take the first max-keys entries.
    """
    forest = Forest(s3)
    generate(
        s3,
        "GEN-001",
        lambda st: trees(st, ("/", "-", "a")),
        lambda tree: list_v2(s3, forest, tree),
        lambda tree: tree.words("start-after"),
        examples=40,
    )


@scenario(
    "GEN-002",
    MUST,
    "ListObjects",
    source="AWS API reference, ListObjects; the model is a fold over the sorted keys",
    clients=READERS,
)
def listings_with_markers(s3: Scene) -> None:
    """ListObjects shows what a fold over the sorted keys shows, for any keys, prefix, delimiter, marker and page size.

    S3 promises: the entries of version 2 of the listing, in pages that are joined by markers: the next page begins
    behind NextMarker where there is one, and behind the last key where there is no delimiter.

    Breaks: older programs that still page with markers (s3cmd, Hadoop's s3a on request, many scripts) lose keys or
    go in circles when a marker that is a common prefix does not skip its whole group, or when a marker that is no
    key finds nothing.

    Fix: compare entries with the marker after folding, byte by byte and strictly greater; do not look the marker up.
    """
    forest = Forest(s3)
    generate(
        s3,
        "GEN-002",
        lambda st: trees(st, ("/", "-", "a")),
        lambda tree: list_v1(s3, forest, tree),
        lambda tree: tree.words("marker"),
        examples=40,
    )


@scenario(
    "GEN-020",
    MUST,
    "ListObjectsV2",
    "ListObjects",
    source="ceph/s3-tests test_bucket_listv2_delimiter_alt; AWS API reference, ListObjectsV2",
    confidence="secondary",
    clients=READERS,
)
def delimiters_of_several_characters(s3: Scene) -> None:
    """A delimiter of several characters folds keys where it stands whole, at its first place behind the prefix.

    S3 promises: a delimiter is a text, not only one character. Half of it folds nothing, and where it overlaps itself
    ("--" in "a---b") the first place counts; pages and markers work as with any other.

    Breaks: programs with separators of their own ("--", "::") between the parts of a name; where only the first
    character counts, they are shown folders that do not exist.

    Fix: search for the whole text behind the prefix, and cut behind its last character.
    """
    forest = Forest(s3)

    def check(tree: Tree) -> None:
        list_v2(s3, forest, tree)
        list_v1(s3, forest, tree)

    generate(
        s3,
        "GEN-020",
        lambda st: trees(st, FOLDING, folded_names(st)),
        check,
        lambda tree: tree.words("start-after"),
        examples=25,
    )
