"""Defects of operations that need a certain mixture of headers or characters to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, quote

from reference_server.call import Call, Result
from reference_server.conditions import http_seconds
from reference_server.defects.editing import Members, inputs
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]

_SMALL_HEX = re.compile(r"%(?=[0-9a-f]*[a-f])[0-9A-Fa-f]{2}")


@defect(
    "date-counts-beside-if-match",
    "operation",
    "If-Unmodified-Since is looked at although If-Match holds, as by LocalStack (GEN-007).",
)
def _date_counts_beside_if_match(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        since = http_seconds(call.members.get("IfUnmodifiedSince"))
        if call.operation in ("GetObject", "HeadObject") and call.members.get("IfMatch") and since is not None:
            present = call.objects.get(call.bucket(), call.key)
            if present is not None and present.modified > since:
                raise S3Error("PreconditionFailed", None, {"Condition": "If-Unmodified-Since"})
        return inner(call)

    return operation


@defect(
    "small-hex-not-decoded",
    "operation",
    "Percent signs with small hex digits in a path are not decoded (GEN-016).",
)
def _small_hex_not_decoded(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.request.key and _SMALL_HEX.search(call.request.raw_path):
            call.request = replace(call.request, key=quote(call.request.key).lower())
        return inner(call)

    return operation


@defect(
    "parts-in-text-order",
    "operation",
    "ListParts sorts part numbers as texts, 10 before 2 (GEN-005).",
)
def _parts_in_text_order(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "ListParts":
            parts = result.members.get("Parts", [])
            result.members["Parts"] = sorted(parts, key=lambda part: str(part["PartNumber"]))
        return result

    return operation


def _storing(member: str, change: Callable[[str], str]) -> Wrap:
    """A header of PutObject is kept as another one."""

    def edit(members: Members) -> None:
        if members.get(member):
            members[member] = change(members[member])

    return inputs({"PutObject"}, edit)


def _cut_at_equals(tags: str) -> str:
    pairs = parse_qsl(tags, keep_blank_values=True)
    return "&".join(f"{quote(name, safe='')}={quote(value.partition('=')[0], safe='')}" for name, value in pairs)


family(
    "operation",
    _storing,
    {
        "cache-control-in-small-letters": row(
            "Cache-Control is kept in small letters, what is quoted in it too (GEN-014).",
            "CacheControl",
            str.lower,
        ),
        "tag-value-ends-at-equals": row(
            "The value of a tag in x-amz-tagging ends at an equals sign in it, although that is encoded (GEN-013).",
            "Tagging",
            _cut_at_equals,
        ),
    },
)
