"""Tags of buckets and objects: what may be set, and the header form.

A tag set is a list of `{"Key": ..., "Value": ...}`, as in the service model.
Sources: Amazon S3 User Guide, "Categorizing your objects using tags"; catalogue TAG, COPY-011.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OBJECT_LIMIT = 10
BUCKET_LIMIT = 50
_MAX_KEY, _MAX_VALUE = 128, 256
_SYMBOLS = frozenset("_.:/=+-@")
_COUNT_MESSAGES = {
    OBJECT_LIMIT: "Object tags cannot be greater than 10",
    BUCKET_LIMIT: "Bucket tag count cannot be greater than 50",
}
_RESERVED_MESSAGES = {
    OBJECT_LIMIT: "Your TagKey cannot be prefixed with aws:",
    BUCKET_LIMIT: "System tags cannot be added/updated by requester",
}
_HEADER_MESSAGE = (
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
    "duplicates."
)

TagSet = list[dict[str, str]]


def check(tags: Sequence[Mapping[str, Any]], limit: int) -> None:
    """Refuse a tag set that S3 refuses (catalogue TAG-004 to TAG-008, TAG-015).

    Args:
        tags: the TagSet of a document.
        limit: OBJECT_LIMIT or BUCKET_LIMIT, which also decide the wording of errors.

    Raises:
        S3Error: MalformedXML for a tag without key or value, BadRequest for too many, InvalidTag otherwise.
    """
    if any(tag.get("Key") is None or tag.get("Value") is None for tag in tags):
        raise S3Error("MalformedXML")
    if len(tags) > limit:
        raise S3Error("BadRequest", _COUNT_MESSAGES[limit])
    seen: set[str] = set()
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key in seen:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key", {"TagKey": key})
        if key.startswith("aws:"):
            raise S3Error("InvalidTag", _RESERVED_MESSAGES[limit], {"TagKey": key})
        if not key or not _allowed(key, _MAX_KEY):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", {"TagKey": key})
        if not _allowed(value, _MAX_VALUE):
            elements: dict[str, object] = {"TagKey": key, "TagValue": value}
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", elements)
        seen.add(key)


def from_header(text: str) -> TagSet:
    """The tags of x-amz-tagging, in the form of a URL query, by key (catalogue TAG-009).

    Raises:
        S3Error: InvalidArgument for what is no such query or repeats a key; else as `check`.
    """
    tags: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        # A second "=" or a comma stands only where something else than "&" separates.
        if "=" in value or "," in pair:
            raise invalid_argument("x-amz-tagging", text, _HEADER_MESSAGE)
        if pair:
            key = _decoded(name, text)
            if key in tags:
                raise invalid_argument("x-amz-tagging", text, _HEADER_MESSAGE)
            tags[key] = _decoded(value, text)
    found = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    check(found, OBJECT_LIMIT)
    return found


def copied(members: Mapping[str, Any], source: TagSet) -> TagSet:
    """The tags of a copy: those of the source unless TaggingDirective is REPLACE (catalogue COPY-011).

    Args:
        members: input of CopyObject with TaggingDirective and Tagging.
        source: tags of the source.

    Raises:
        S3Error: InvalidArgument for an unknown directive; else as `from_header`.
    """
    directive = members.get("TaggingDirective") or "COPY"
    if directive == "COPY":
        return source
    if directive != "REPLACE":
        raise invalid_argument("x-amz-tagging-directive", directive, "Unknown tagging directive.")
    return from_header(members.get("Tagging") or "")


def _decoded(part: str, header: str) -> str:
    try:
        return unquote_to_bytes(part.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise invalid_argument("x-amz-tagging", header, _HEADER_MESSAGE) from None


def _allowed(text: str, longest: int) -> bool:
    """Letters, numbers, spaces and eight symbols; the length counts UTF-16 units, as S3 stores tags."""
    if len(text) + sum(character > "\uffff" for character in text) > longest:
        return False
    return all(character in _SYMBOLS or unicodedata.category(character)[0] in "LNZ" for character in text)
