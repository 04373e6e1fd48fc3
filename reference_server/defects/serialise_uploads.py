"""Defects of answers about uploads, attributes and limits: members that are missing, or say something else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from reference_server.codec import iso_time
from reference_server.defects.editing import Members, results
from reference_server.defects.registry import family, row
from reference_server.defects.serialise_errors import saying

if TYPE_CHECKING:
    from reference_server.call import Call

_UPLOADS, _PARTS = "ListMultipartUploads", "ListParts"
_LISTS = {_UPLOADS, _PARTS, "ListObjects", "ListObjectsV2", "ListObjectVersions"}


def _quoted_attribute(_call: Call, members: Members) -> None:
    if "ETag" in members:
        members["ETag"] = f'"{members["ETag"]}"'


def _key_encoded(call: Call, members: Members) -> None:
    members["Key"] = quote(call.key)


def _with_microseconds(_call: Call, members: Members) -> None:
    for entry in members["Uploads"]:
        entry["Initiated"] = iso_time(entry["Initiated"]).replace(".000Z", ".123456Z")


def _last_prefix(_call: Call, members: Members) -> None:
    if members["IsTruncated"] and not members["NextKeyMarker"] and members["CommonPrefixes"]:
        members["NextKeyMarker"] = members["CommonPrefixes"][-1]["Prefix"]


def _only_on_the_way(_call: Call, members: Members) -> None:
    if not members["IsTruncated"]:
        del members["NextPartNumberMarker"]


def _anonymous(_call: Call, members: Members) -> None:
    members |= {"Owner": None, "Initiator": None}


def _as_asked(call: Call, members: Members) -> None:
    for name in ("MaxKeys", "MaxParts", "MaxUploads"):
        if name in members and call.members.get(name) is not None:
            members[name] = call.members[name]


family(
    "serialise",
    results,
    {
        "attributes-etag-quoted": row(
            "The ETag among the attributes of an object has the quotation marks that it has elsewhere (ETAG-006).",
            {"GetObjectAttributes"},
            _quoted_attribute,
        ),
        "initiated-with-microseconds": row(
            "The time of an upload has fractions of a second with six digits (LMU-015).", {_UPLOADS}, _with_microseconds
        ),
        "limit-echoed-as-asked": row(
            "Listings echo a limit over 1000 as if they had kept to it (LIM-015).", _LISTS, _as_asked
        ),
        "next-part-marker-when-truncated": row(
            "ListParts says how far it came only on pages that are not the last (MPU-031).", {_PARTS}, _only_on_the_way
        ),
        "next-upload-marker-is-prefix": row(
            "A page of uploads that ends in a common prefix names the prefix as its last key (LMU-010).",
            {_UPLOADS},
            _last_prefix,
        ),
        "parts-without-owner": row("ListParts shows neither Owner nor Initiator (MPU-036).", {_PARTS}, _anonymous),
        "upload-keys-encoded": row(
            "The key of a multipart upload is percent-encoded in the answers about it (MPU-037).",
            {"CreateMultipartUpload", "CompleteMultipartUpload", _PARTS},
            _key_encoded,
        ),
    },
)


family(
    "serialise",
    saying,
    {
        "entity-too-large-413": row(
            "What is too large is refused with the status 413 of a proxy instead of an error of S3 (LIM-014).",
            {"EntityTooLarge"},
            (),
            "RequestEntityTooLarge",
            413,
        ),
        "key-too-long-says-invalid-uri": row(
            "A key that is too long is told to be no URI (LIM-002).", {"KeyTooLongError"}, (), "InvalidURI", 400
        ),
        "metadata-too-large-says-invalid-argument": row(
            "Metadata that is too large is an invalid argument (META-004).",
            {"MetadataTooLarge"},
            (),
            "InvalidArgument",
            400,
        ),
    },
)
