"""MPU: markers, limits and owners of ListParts."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import absent, ok, output, output_where, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios.mpu import begin, store
from scenarios.mpu_parts import ends, lists, shown

PARTS = {3: b"the third", 7: b"the seventh"}
"""Parts by number, with a gap before, between and behind, so that no marker is also a count."""


def planted(s3: Scene) -> dict[str, Any]:
    """An upload with PARTS in it."""
    upload = begin(s3, s3.key())
    for number, content in PARTS.items():
        store(s3, upload, number, content)
    return upload


def target(s3: Scene, upload: dict[str, Any], query: str) -> str:
    """The raw target of a request about an upload."""
    return f"/{s3.bucket}/{encode(upload['Key'], safe='/')}?uploadId={encode(upload['UploadId'])}&{query}"


ALL = tuple(shown(number, content) for number, content in PARTS.items())


@scenario(
    "MPU-031",
    SHOULD,
    "ListParts",
    source="LocalStack test_list_parts_pagination (recorded on AWS)",
    clients=LIBRARIES,
)
def next_marker_of_last_page(s3: Scene) -> None:
    """NextPartNumberMarker is the number of the last part shown, also when the page is not truncated.

    S3 promises: the marker says how far the page came: the last number on it whether more follows or not, and 0
    where no part is shown.

    Breaks: uploaders that follow a growing upload ask from the marker of the page before; where it is missing, or a
    count instead of a number, they list parts twice or never see new ones.

    Fix: take the number of the last Part printed, not the number of parts, and print it on every page.
    """
    upload = planted(s3)
    s3.expect(s3.call("ListParts", **upload), ok(), lists(*ALL), ends(), output("NextPartNumberMarker", 7))
    page = s3.call("ListParts", **upload, MaxParts=1)
    s3.expect(page, ok(), lists(ALL[0]), output("IsTruncated", True), output("NextPartNumberMarker", 3))
    empty = s3.call("ListParts", **begin(s3, s3.key("empty")))
    s3.expect(empty, ok(), absent("Parts"), output("NextPartNumberMarker", 0))


@scenario(
    "MPU-033",
    SHOULD,
    "ListParts",
    source="LocalStack test_list_parts_pagination (recorded on AWS)",
    clients=LIBRARIES,
)
def marker_behind_the_parts(s3: Scene) -> None:
    """A part-number-marker at or behind the last part gives an empty page with NextPartNumberMarker 0.

    S3 promises: asking for what comes after the last part is no error: 200, no Part, IsTruncated false, and
    NextPartNumberMarker 0 since nothing is shown.

    Breaks: uploaders that poll for new parts ask so all the time; an error ends them, and a repeated last part makes
    them loop.

    Fix: select parts with a greater number than the marker, and let the empty page be a page.
    """
    upload = planted(s3)
    s3.expect(s3.call("ListParts", **upload, PartNumberMarker=3), ok(), lists(ALL[1]))
    for marker in (7, 500):
        page = s3.call("ListParts", **upload, PartNumberMarker=marker)
        nothing = (absent("Parts"), output("IsTruncated", False), output("NextPartNumberMarker", 0))
        s3.expect(page, ok(), *nothing, output("PartNumberMarker", marker))


@scenario(
    "MPU-034",
    SHOULD,
    "ListParts",
    source="LocalStack test_list_parts_empty_part_number_marker (recorded on AWS)",
    clients=("raw",),
)
def empty_parameters(s3: Scene) -> None:
    """An empty part-number-marker or max-parts in the query of ListParts is read as the default.

    S3 promises: `part-number-marker=` starts at the first part and `max-parts=` allows 1000; the answer says 0 and
    1000, as if neither had been sent.

    Breaks: clients in Go, Java and PHP that write every parameter into the query whether it is set or not; with a
    strict number parser they cannot list parts at all.

    Fix: treat an empty value as an absent parameter before reading it as a number.
    """
    upload = planted(s3)
    for query in ("part-number-marker=", "max-parts=", "part-number-marker=&max-parts="):
        page = s3.send("ListParts", "GET", target(s3, upload, query), bucket=s3.bucket)
        s3.expect(page, ok(), lists(*ALL), output("PartNumberMarker", 0), output("MaxParts", 1000))


@scenario(
    "MPU-035",
    SHOULD,
    "ListParts",
    source="versitygw REST ListParts, invalid part number marker",
    clients=("raw",),
)
def marker_is_no_number(s3: Scene) -> None:
    """A part-number-marker that is not an integer is refused with 400 InvalidArgument that names the parameter.

    S3 promises: text that is no number is an error of its own, with ArgumentName part-number-marker.

    Breaks: strict validation; a program that mixes up its parameters and passes an ETag or an upload id as marker
    lists from the start for ever where the value is taken for 0.

    Fix: parse strictly, and name the parameter in the error.
    """
    upload = planted(s3)
    fields = {"ArgumentName": "part-number-marker"}
    for value in ("abc", "1x"):
        page = s3.send("ListParts", "GET", target(s3, upload, f"part-number-marker={value}"), bucket=s3.bucket)
        s3.expect(page, refused(400, "InvalidArgument", fields=fields))
    page = s3.send("ListParts", "GET", target(s3, upload, "part-number-marker=3"), bucket=s3.bucket)
    s3.expect(page, ok(), lists(ALL[1]))


@scenario(
    "MPU-036",
    SHOULD,
    "ListParts",
    source="LocalStack test_multipart_and_list_parts (recorded on AWS)",
    clients=LIBRARIES,
)
def owner_of_parts(s3: Scene) -> None:
    """ListParts shows Initiator and Owner, each with an ID, and the StorageClass of the upload.

    S3 promises: the answer says who began the upload, who will own the object, and in which storage class it will
    be; STANDARD where none was asked for.

    Breaks: clean-up and cost tools that list abandoned uploads per user; typed SDK programs that read Owner.ID
    without looking whether it is there.

    Fix: keep account and storage class with the upload's record, and print all three elements for every upload.
    """
    page = s3.expect(s3.call("ListParts", **planted(s3)), ok(), lists(*ALL), output("StorageClass", "STANDARD"))
    for member in ("Initiator", "Owner"):
        s3.expect(
            page, output_where(member, "has an ID", lambda value: isinstance(value, dict) and bool(value.get("ID")))
        )
