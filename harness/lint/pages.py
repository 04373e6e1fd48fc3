"""Listings: LINT-025 to 027 of one page, and of one page after the other."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_plus

from harness.lint.view import View, shown

if TYPE_CHECKING:
    from harness.wire.xml import Node

Item = tuple[bytes, str]
"""An entry or prefix: what orders it, and what else makes it the only one of its kind (a version, an upload)."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """How an operation pages.

    Attributes:
        entries: elements that are its results, each with the elements that identify one.
        limit: query parameter of the page size, and the element that echoes it ("" for none).
        begin: query parameters that say where a page begins.
        following: elements that say where the next one does.
        most: entries of a page, whatever was asked.
        strict: one entry a key, so that order is strict.
    """

    entries: Mapping[str, tuple[str, ...]]
    limit: tuple[str, str]
    begin: tuple[str, ...]
    following: tuple[str, ...]
    most: int = 1000
    strict: bool = True


_PREFIXES: dict[str, tuple[str, ...]] = {"CommonPrefixes": ("Prefix",)}
_KEYS = {"Contents": ("Key",), **_PREFIXES}
_LISTINGS = {
    "ListObjects": _Listing(_KEYS, ("max-keys", "MaxKeys"), ("marker",), ("NextMarker",)),
    "ListObjectsV2": _Listing(
        _KEYS,
        ("max-keys", "MaxKeys"),
        ("continuation-token",),
        ("NextContinuationToken",),
    ),
    "ListObjectVersions": _Listing(
        {"Version": ("Key", "VersionId"), "DeleteMarker": ("Key", "VersionId"), **_PREFIXES},
        ("max-keys", "MaxKeys"),
        ("key-marker", "version-id-marker"),
        ("NextKeyMarker", "NextVersionIdMarker"),
        strict=False,
    ),
    "ListMultipartUploads": _Listing(
        {"Upload": ("Key", "UploadId"), **_PREFIXES},
        ("max-uploads", "MaxUploads"),
        ("key-marker", "upload-id-marker"),
        ("NextKeyMarker", "NextUploadIdMarker"),
        strict=False,
    ),
    "ListParts": _Listing(
        {"Part": ("PartNumber",)}, ("max-parts", "MaxParts"), ("part-number-marker",), ("NextPartNumberMarker",)
    ),
}
_ECHOES = {
    "Prefix": "prefix",
    "Delimiter": "delimiter",
    "Marker": "marker",
    "StartAfter": "start-after",
    "KeyMarker": "key-marker",
    "EncodingType": "encoding-type",
    "ContinuationToken": "continuation-token",
    "PartNumberMarker": "part-number-marker",
    "UploadId": "uploadId",
}
"""Elements and the query parameters that they repeat."""
_ENCODED = frozenset({"Prefix", "Delimiter", "Marker", "StartAfter", "KeyMarker", "NextMarker", "NextKeyMarker", "Key"})
"""Elements that are percent-encoded where the answer says EncodingType url."""
_ECHOING = frozenset({*_LISTINGS, "CreateMultipartUpload", "CompleteMultipartUpload"})
"""Operations whose document repeats what was asked."""
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)


class Page(NamedTuple):
    """One page of a listing.

    Attributes:
        scope: what all pages of one listing share: operation, bucket, key, and what was asked but for the page.
        begin: where it was asked to begin.
        following: where the next page begins, None at the end.
        items: entries and prefixes in the order of their keys.
        complete: whether it begins at the beginning.
    """

    scope: tuple[str, ...]
    begin: tuple[str, ...]
    following: tuple[str, ...] | None
    items: list[Item]


def echoes(view: View) -> None:
    """LINT-027: what was asked comes back as it was asked."""
    root = view.document
    if view.operation not in _ECHOING or root is None or not (view.success and view.trusted):
        return
    decoded = _decoder(root)
    for tag, parameter in _ECHOES.items():
        asked = view.query.get(parameter)
        if asked is None or view.output is None or tag not in view.output.members:
            continue
        found = root.get(tag)
        if tag == "StartAfter" and "continuation-token" in view.query:
            continue
        if found is not None and tag in _ENCODED:
            found = decoded(found)
        if (found or "") != asked and "\ufffd" not in asked and not _as_default(tag, asked, found):
            view.say("LINT-027", f"{tag} is {_named(found)}; {parameter} was {shown(asked)}", tag)
    for tag, asked in (("Name", view.bucket), ("Bucket", view.bucket), ("Key", view.key)):
        found = root.get(tag)
        if found is not None and found != asked and asked.isprintable():
            view.say("LINT-027", f"{tag} is {shown(found)}; the request was for {shown(asked)}", tag)
    _limit_echo(view, root)


def _as_default(tag: str, asked: str, found: str | None) -> bool:
    """Whether an empty number is echoed as what it is taken for."""
    return tag == "PartNumberMarker" and found == "0" and asked.strip("0") == ""


def _limit_echo(view: View, root: Node) -> None:
    listing = _LISTINGS.get(view.operation)
    parameter, tag = listing.limit if listing else ("", "")
    asked, found = view.query.get(parameter, ""), root.get(tag)
    if found is None or not _DIGITS.fullmatch(asked) or not _DIGITS.fullmatch(found):
        return
    if int(found) != int(asked) and not (int(asked) > 1000 and int(found) == 1000):
        view.say("LINT-027", f"{tag} is {found}; {parameter} was {asked}", tag)


def page(view: View) -> Page | None:
    """LINT-025 and 026 of one page; the page, where it is one whose order can be judged."""
    listing, root = _LISTINGS.get(view.operation), view.document
    if view.operation == "ListBuckets":
        _buckets(view)
    if listing is None or root is None or not view.success:
        return None
    found = _items(listing, root)
    items = sorted(itertools.chain.from_iterable(found.values()))
    _size(view, listing, len(items))
    _order(view, found, items)
    begin = tuple(view.query.get(name, "") for name in listing.begin)
    following = _following(view, listing, root)
    if following == begin and following is not None:
        view.say("LINT-025", f"{listing.following[0]} leads back to where this page began", "circle")
        following = None
    left_out = {*listing.begin, listing.limit[0], "encoding-type", "fetch-owner", "x-id"}
    rest = (f"{name}={value}" for name, value in sorted(view.query.items()) if name not in left_out)
    scope = (view.operation, view.bucket, view.key, *rest)
    return Page(scope, begin, following, items)


def _buckets(view: View) -> None:
    """The one listing whose entries are wrapped; its order has no record."""
    wrapper = view.document.find("Buckets") if view.document is not None else None
    if wrapper is None or not view.success:
        return
    names = [entry.get("Name") or "" for entry in wrapper]
    if len(set(names)) < len(names):
        view.say("LINT-025", "a bucket is listed twice", "twice")
    asked = view.query.get("max-buckets", "")
    most = int(asked) if view.trusted and _DIGITS.fullmatch(asked) and int(asked) else 10000
    if len(names) > most:
        view.say("LINT-026", f"{len(names)} buckets in a page of at most {most}")


def _items(listing: _Listing, root: Node) -> dict[str, list[Item]]:
    """Entries and prefixes by tag, as they stand in the document, keys decoded."""
    decoded = _decoder(root)
    items: dict[str, list[Item]] = {}
    for child in root.children:
        names = listing.entries.get(child.tag)
        if names is None:
            continue
        found = child.get(names[0]) or ""
        if names[0] == "PartNumber":
            order = int(found).to_bytes(4, "big") if _DIGITS.fullmatch(found) else b""
        else:
            order = decoded(found).encode("utf-8", "surrogateescape")
        more = child.get(names[1]) or "" if len(names) > 1 else ""
        items.setdefault(child.tag, []).append((order, more))
    return items


def _decoder(root: Node) -> Callable[[str], str]:
    """What keys of a document are decoded with."""
    return unquote_plus if root.get("EncodingType") == "url" else str


def _size(view: View, listing: _Listing, count: int) -> None:
    """LINT-026."""
    asked = view.query.get(listing.limit[0], "")
    most = listing.most
    if view.trusted and _DIGITS.fullmatch(asked) and (int(asked) or listing.limit[0] == "max-keys"):
        most = min(most, int(asked))
    if count > most:
        view.say("LINT-026", f"{count} entries and prefixes in a page of at most {most}")


def _order(view: View, found: dict[str, list[Item]], items: list[Item]) -> None:
    """Each entry once, and those of one kind in the order of their keys; `items` are all of them, sorted."""
    again = next((one for one, other in itertools.pairwise(items) if one == other), None)
    if again is not None:
        view.say("LINT-025", f"{_name(again)} is listed twice", "twice")
    if items and not items[0][0]:
        view.say("LINT-034", "an entry has an empty key", "key")
    for entries in found.values():
        for one, other in itertools.pairwise(entries):
            if other[0] < one[0]:
                view.say("LINT-025", f"{_name(other)} stands behind {_name(one)}", "order")
                return


def _following(view: View, listing: _Listing, root: Node) -> tuple[str, ...] | None:
    """Where the next page begins; a truncated one must say so (LINT-025)."""
    if root.get("IsTruncated") != "true":
        return None
    decoded = _decoder(root)
    found = [root.get(tag) or "" for tag in listing.following]
    found = [decoded(text) if tag in _ENCODED else text for tag, text in zip(listing.following, found, strict=True)]
    if view.operation == "ListObjects" and not found[0]:
        last = [child.get("Key") or "" for child in root.all("Contents")[-1:]]
        found = [decoded(last[0])] if last else found
    # A page of versions or uploads that ends in a common prefix has a marker less, or none (LVER-008, LMU-010).
    grouped = root.find("CommonPrefixes") is not None and len(found) == 2
    if not found[0] and not (grouped and view.operation == "ListMultipartUploads"):
        view.say("LINT-025", f"the page is truncated and has no {listing.following[0]}", "way")
    elif len(found) == 2 and not found[1] and not grouped:
        view.say("LINT-025", f"the page is truncated and has no {listing.following[1]}", "way")
    return tuple(found) if found[0] else None


def _name(item: Item) -> str:
    key, more = item
    return shown(key.decode("utf-8", "replace")) + (f" {shown(more)}" if more else "")


def _named(found: str | None) -> str:
    return "missing" if found is None else shown(found)


class _End(NamedTuple):
    """Where a page ended: where its listing began, its items, and number and digest of all items up to there."""

    start: tuple[str, ...]
    items: list[Item]
    number: int
    digest: int


@dataclass(slots=True)
class Walk:
    """Pages of one cell after each other; anything that writes to a bucket begins anew.

    Attributes:
        ends: by scope and where the next page begins, the page before it.
        results: by scope and where it began, number and digest of all items of a listing.
    """

    ends: dict[tuple[object, ...], _End] = field(default_factory=dict)
    results: dict[tuple[object, ...], tuple[int, int]] = field(default_factory=dict)

    def take(self, view: View, page: Page, generation: int) -> None:
        """LINT-025: this page continues the one before it, and the whole is what it was before.

        Args:
            view: the exchange.
            page: its page.
            generation: another number after each write to the bucket.
        """
        listing = _LISTINGS[view.operation]
        before = self.ends.get((page.scope, generation, page.begin))
        start, count, digest = (before.start, before.number, before.digest) if before else (page.begin, 0, 0)
        if before and before.items and page.items:
            _continues(view, listing, before.items, page.items)
        for item in page.items:
            digest ^= hash(item)
        count += len(page.items)
        if page.following is not None:
            self.ends[(page.scope, generation, page.following)] = _End(start, page.items, count, digest)
        elif view.document is not None and view.document.get("IsTruncated") == "false" and not _nothing_asked(view):
            earlier = self.results.setdefault((page.scope, generation, start), (count, digest))
            if earlier != (count, digest):
                view.say("LINT-025", f"this listing came to {count} items, and before to {earlier[0]} others", "whole")


def _nothing_asked(view: View) -> bool:
    """Whether the page was to be empty."""
    asked = view.query.get(_LISTINGS[view.operation].limit[0], "")
    return bool(_DIGITS.fullmatch(asked)) and int(asked) == 0


def _continues(view: View, listing: _Listing, before: list[Item], items: list[Item]) -> None:
    last, first = before[-1], items[0]
    if first[0] < last[0] or (listing.strict and first == last):
        view.say("LINT-025", f"the page begins with {_name(first)}, behind one that ended with {_name(last)}", "next")
    elif not listing.strict and not set(before).isdisjoint(items):
        view.say("LINT-025", "an entry of the page before comes again", "next")
