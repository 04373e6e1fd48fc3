"""Defects of checksums in multipart uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server import checksums
from reference_server.call import Call, Result
from reference_server.defects.editing import Members, calls, inputs
from reference_server.defects.operation_multipart import Finished, finishing
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.objects import StoredObject
    from reference_server.uploads import Upload

Operation = Callable[[Call], Result]

_COMPLETE, _CREATE, _PART = {"CompleteMultipartUpload"}, {"CreateMultipartUpload"}, {"UploadPart"}
_VALUES = {checksums.member(name) for name in checksums.ALGORITHMS.values()}
_TYPES = ("COMPOSITE", "FULL_OBJECT")


# The beginning of an upload


def _sensible(members: Members) -> None:
    """Drop from a request for an upload what makes no sense in it."""
    algorithm = checksums.ALGORITHMS.get(str(members.get("ChecksumAlgorithm")).lower())
    kind = str(members.get("ChecksumType")).upper()
    if algorithm is None:
        members.pop("ChecksumAlgorithm", None)
    if algorithm is None or kind not in _TYPES or not checksums.allows(algorithm, kind):
        members.pop("ChecksumType", None)


def _in_capitals(members: Members) -> None:
    for name in ("ChecksumAlgorithm", "ChecksumType"):
        if str(members.get(name) or "").upper() != str(members.get(name) or ""):
            raise S3Error("InvalidRequest", f"Value for {name} is invalid.")


def _of_whole(members: Members) -> None:
    algorithm = checksums.ALGORITHMS.get(str(members.get("ChecksumAlgorithm")).lower())
    if algorithm is not None and checksums.allows(algorithm, "FULL_OBJECT"):
        members.setdefault("ChecksumType", "FULL_OBJECT")


# Its parts


def _sent(call: Call) -> list[str]:
    return [name for name in checksums.ALGORITHMS if f"x-amz-checksum-{name}" in call.request.headers]


def _kept(call: Call) -> Upload:
    return call.uploads.find(call.bucket(), call.key, call.members["UploadId"])


def _own_algorithm_alone(call: Call) -> None:
    """A checksum of another algorithm than the upload's is dropped, and the part taken all the same."""
    uploads, algorithm = call.uploads, _kept(call).algorithm
    others = [name for name in _sent(call) if checksums.ALGORITHMS[name] != algorithm]
    if algorithm is None or not others:
        return
    for name in others:
        del call.request.headers[f"x-amz-checksum-{name}"]
    call.request.headers.pop("x-amz-sdk-checksum-algorithm", None)

    def find(*asked: Any, **options: Any) -> Upload:
        return replace(uploads.find(*asked, **options), checksum_type="FULL_OBJECT")

    call.endpoint = view(call.endpoint, uploads=view(uploads, find=find))


def _checksum_demanded(call: Call) -> None:
    if _kept(call).algorithm is not None and not _sent(call) and "x-amz-trailer" not in call.request.headers:
        raise S3Error("InvalidRequest", "The upload was created with a checksum, which this part lacks.")


# Its end


def _headers_unread(call: Call) -> None:
    for name in (*_VALUES, "ChecksumType"):
        call.members.pop(name, None)
    call.request.headers.pop("x-amz-mp-object-size", None)


def _entries_corrected(call: Call) -> None:
    """Complete reads in place of each part's checksums what is stored for it."""
    upload = call.uploads.find(call.bucket(), call.key, call.members["UploadId"], finished=True)
    stored = {part.number: part.checksums for part in call.uploads.parts(upload.seq)}
    codec = call.endpoint.codec

    def parse(name: str, body: bytes) -> Members:
        document: Members = codec.parse_document(name, body)
        for entry in document.get("Parts") or []:
            for member in _VALUES & set(entry):
                del entry[member]
            values = stored.get(entry.get("PartNumber"), {})
            if upload.algorithm in values:
                entry[checksums.member(upload.algorithm)] = values[upload.algorithm]
        return document

    call.endpoint = view(call.endpoint, codec=view(codec, parse_document=parse))


family(
    "operation",
    inputs,
    {
        "multipart-checksum-case-sensitive": row(
            "Algorithm and type of an upload's checksum are understood in capitals only (MPC-007).",
            _CREATE,
            _in_capitals,
        ),
        "multipart-checksum-of-whole": row(
            "The checksum of an upload is of the whole object wherever that can be, although nobody asked for it "
            "(MPC-001).",
            _CREATE,
            _of_whole,
        ),
        "multipart-checksum-unvalidated": row(
            "An upload begins with an unknown checksum, or a type that its algorithm cannot have, and keeps what "
            "makes sense (MPC-002).",
            _CREATE,
            _sensible,
        ),
    },
)

family(
    "operation",
    calls,
    {
        "complete-checksum-headers-ignored": row(
            "A completion reads neither the checksum of the whole nor its type nor x-amz-mp-object-size in its "
            "headers (MPC-018).",
            _COMPLETE,
            _headers_unread,
        ),
        "complete-part-checksums-ignored": row(
            "A completion does not look at the checksums that it names for its parts (MPC-015).",
            _COMPLETE,
            _entries_corrected,
        ),
        "part-checksum-algorithm-unchecked": row(
            "A part may have a checksum of another algorithm than its upload (MPC-008).",
            _PART,
            _own_algorithm_alone,
        ),
        "part-checksum-demanded": row(
            "Every part of an upload with a checksum must have one, although S3 can compute it (MPC-019).",
            _PART,
            _checksum_demanded,
        ),
    },
)


def _finishing(change: Callable[[Upload, StoredObject, list[str]], str | None]) -> Wrap:
    """The object that a completion makes has another checksum; None for no checksum at all.

    `change` is given the upload, the object, and the checksums of the parts in use.
    """

    def with_checksum(
        call: Call, upload: Upload, new: StoredObject, finished: Finished
    ) -> tuple[StoredObject, Finished]:
        used, fingerprint, result = finished
        parts = [part for part in call.uploads.parts(upload.seq) if part.number in used]
        value = change(upload, new, [part.checksums[new.algorithm or ""] for part in parts])
        shown = {name: each for name, each in result.items() if not name.startswith("Checksum")}
        if value is None:
            new = replace(new, algorithm=None, checksum_type=None, checksum=None)
        else:
            new = replace(new, checksum=value)
            shown |= {checksums.member(new.algorithm or ""): value, "ChecksumType": new.checksum_type}
        return new, (used, fingerprint, shown)

    return finishing(with_checksum)


def _joined_by_hashing(_upload: Upload, new: StoredObject, parts: list[str]) -> str | None:
    """The form of a composite checksum, where the one of the whole is due."""
    if new.checksum_type == "COMPOSITE" or len(parts) == 1:
        return new.checksum
    return checksums.composite(new.algorithm or "", parts).partition("-")[0]


family(
    "operation",
    _finishing,
    {
        "composite-checksum-without-count": row(
            "A composite checksum lacks the number of parts, so that SDKs hold it against the bytes (MPC-020).",
            lambda _upload, new, _parts: (new.checksum or "").partition("-")[0],
        ),
        "full-object-checksum-of-parts": row(
            "The checksum of a whole object that came in parts is made of those of the parts (MPC-023).",
            _joined_by_hashing,
        ),
        "multipart-default-checksum-missing": row(
            "An upload without a checksum algorithm makes an object without a checksum (MPC-024).",
            lambda upload, new, _parts: None if upload.algorithm is None else new.checksum,
        ),
    },
)


@defect(
    "plain-parts-listed-with-checksums",
    "operation",
    "ListParts shows checksums of parts although their upload has no algorithm (MPC-012).",
)
def _plain_parts_listed_with_checksums(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation != "ListParts":
            return result
        upload = _kept(call)
        stored = {part.number: part.checksums for part in call.uploads.parts(upload.seq)}
        if upload.algorithm is None:
            for entry in result.members["Parts"]:
                values = stored.get(entry["PartNumber"], {})
                entry |= {checksums.member(algorithm): value for algorithm, value in values.items()}
        return result

    return operation
