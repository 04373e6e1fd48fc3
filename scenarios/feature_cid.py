"""CID: identifiers that are computed from the content, beside the ETag, in x-amz-meta-cid."""

from __future__ import annotations

import zlib
from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, header, ok, output_where
from harness.expect import metadata as metadata_is
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Prerequisite
from scenarios import _cids
from scenarios._features import AUTO_DRIVE, cid

_CONTENT = b"content that names itself"
_SIZES = {"one byte": 1, "a leaf of the tree": _cids.CHUNK, "two leaves": _cids.CHUNK + 1}


@scenario(
    "CID-001",
    MUST,
    "PutObject",
    "GetObject",
    "HeadObject",
    source=f"{AUTO_DRIVE}, ETag and CID",
    clients=CALLERS,
    feature="cid",
)
def everywhere_the_same(s3: Scene) -> None:
    """PutObject, GetObject and HeadObject all name the same content identifier, a CIDv1, in x-amz-meta-cid.

    The gateway promises: every answer about an object has the identifier of its content in x-amz-meta-cid, where SDKs
    show it as the metadata `cid`. It is of version 1, in base32, with a BLAKE3 hash of 32 bytes.

    Breaks: programs that keep the identifier instead of the key, to fetch the content from the network later.

    Fix: compute the identifier once, when the content is stored, and send it with every answer about the object.
    """
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT), ok())
    witnessed = cid(s3, s3.look("HeadObject", Key=key))
    try:
        found = tuple(_cids.parse(witnessed))
    except ValueError as error:
        found = (str(error),)
    wanted = _cids.AUTO_DRIVE
    s3.check(found[:4] == wanted, f"version, codec, hash and length {wanted}", f"{witnessed!r} has {found[:4]}")
    for operation in ("GetObject", "HeadObject"):
        shown = s3.call(operation, Key=key)
        same = cid(s3, shown)
        s3.check(same == witnessed, f"{operation}: {witnessed}", f"it names {same!r}", shown)


@scenario(
    "CID-002",
    MUST,
    "PutObject",
    source=f"{AUTO_DRIVE}, ETag and CID",
    clients=("raw",),
    feature="cid",
)
def answer_to_put(s3: Scene) -> None:
    """The answer to PutObject itself names the identifier that HeadObject names later, also after an overwrite.

    The gateway promises: x-amz-meta-cid is on the answer to the write, so that no second request is needed.

    Breaks: uploaders that note the identifier as they write; after an overwrite they would note that of old content.

    Fix: answer with the identifier of the bytes that this request stored.
    """
    key = s3.key()
    for content in (_CONTENT, b"other content"):
        answer = s3.call("PutObject", Key=key, Body=content)
        named = cid(s3, answer)
        s3.expect(s3.look("HeadObject", Key=key), ok(), header("x-amz-meta-cid", named))
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content), header("x-amz-meta-cid", named))


@scenario(
    "CID-003",
    MUST,
    "PutObject",
    "HeadObject",
    source=f"{AUTO_DRIVE}, Storage Characteristics",
    clients=CALLERS,
    feature="cid",
)
def of_the_content_alone(s3: Scene) -> None:
    """The same content has the same identifier under any key, type and bucket, and other content has another one.

    The gateway promises: identical content is identified, and kept, once. Nothing but the bytes counts.

    Breaks: deduplication, and whoever proves with the identifier that two copies are alike.

    Fix: hash the content; leave key, type, time and owner out of it.
    """
    elsewhere = s3.new_bucket()
    first, second, third = s3.key("first"), s3.key("folder/second"), s3.key("third")
    s3.expect(s3.call("PutObject", Key=first, Body=_CONTENT), ok())
    s3.expect(s3.call("PutObject", Key=second, Body=_CONTENT, ContentType="text/plain"), ok())
    s3.expect(s3.call("PutObject", Bucket=elsewhere, Key=first, Body=_CONTENT), ok())
    s3.expect(s3.call("PutObject", Key=third, Body=_CONTENT + b"."), ok())
    named = cid(s3, s3.look("HeadObject", Key=first))
    for place in ({"Key": second}, {"Bucket": elsewhere, "Key": first}):
        found = s3.look("HeadObject", **place)
        s3.check(cid(s3, found) == named, f"{place}: {named}", f"it is {cid(s3, found)}", found)
    other = s3.look("HeadObject", Key=third)
    s3.check(cid(s3, other) != named, "another identifier for other content", f"it is {named} too", other)


@scenario(
    "CID-004",
    MUST,
    "CompleteMultipartUpload",
    source=f"{AUTO_DRIVE}, Multipart uploads",
    clients=("raw",),
    feature="cid",
)
def of_parts(s3: Scene) -> None:
    """CompleteMultipartUpload names the identifier that the same content has when it is stored in one piece.

    The gateway promises: x-amz-meta-cid is on the answer to CompleteMultipartUpload and on every read, and it is of
    the content, however that came; the composite ETag tells that it came in parts.

    Breaks: deduplication between programs that upload in parts of different sizes.

    Fix: compute the identifier over the joined parts.
    """
    key, parts = s3.key("parts"), (b"a" * 3000, b"b" * 50)
    created = s3.call("CreateMultipartUpload", Key=key)
    s3.expect(created, ok(), output_where("UploadId", "an id", bool))
    upload = {"Key": key, "UploadId": created.output["UploadId"]}
    named = []
    for number, content in enumerate(parts, 1):
        part = s3.call("UploadPart", **upload, PartNumber=number, Body=content)
        named.append({"PartNumber": number, "ETag": s3.expect(part, ok()).etag or ""})
    answer = s3.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": named})
    completed = cid(s3, answer)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(b"".join(parts)), header("x-amz-meta-cid", completed))
    whole = s3.look("PutObject", Key=s3.key("whole"), Body=b"".join(parts))
    if not whole.ok:
        raise Prerequisite(whole)
    s3.check(cid(s3, whole) == completed, f"in one piece: {completed}", f"it is {cid(s3, whole)}", whole)


@scenario(
    "CID-005",
    SHOULD,
    "PutObject",
    source="autonomys/auto-sdk at b7c15983, packages/auto-dag-data, cid and ipld; that the name of the file is no part "
    "of the tree is a reading of the guide's Storage Characteristics",
    clients=("raw",),
    confidence="partly unverified",
    feature="cid",
)
def computed_anew(s3: Scene) -> None:
    """The identifier is the one that anybody computes from the bytes: root of a tree of nodes hashed with BLAKE3.

    The gateway promises: the identifier is that of its public library. Content is cut into leaves of 65,066 bytes; a
    node is dag-pb around a small message; each is named by the BLAKE3 hash of its bytes, and the root names the whole.

    Breaks: whoever checks content from the network against the identifier, without trusting the gateway.

    Fix: use the library's own functions, on the bytes as they are stored.
    """
    for what, size in _SIZES.items():
        content = (b"0123456789abcdefghijklmnopqrstuvwxyz" * (size // 36 + 1))[:size]
        answer = s3.call("PutObject", Key=s3.key(), Body=content)
        found, wanted = cid(s3, answer), _cids.of(content)
        s3.check(found == wanted, f"{what} ({size} bytes): {wanted}", f"it is {found}", answer)


@scenario(
    "CID-006",
    SHOULD,
    "PutObject",
    "GetObject",
    "HeadObject",
    source="autonomys/auto-sdk at b7c15983, packages/auto-dag-data, metadata/onchain; " + AUTO_DRIVE + ", Metadata",
    clients=LIBRARIES,
    confidence="partly unverified",
    feature="cid",
)
def of_what_was_transformed(s3: Scene) -> None:
    """Content that is uploaded as compressed or encrypted says so on every read, and has an identifier of its own.

    The gateway promises: the metadata compression and encryption are taken for options of the upload, whose content
    the client has transformed already. Both come back, and are written into the root of the tree.

    Breaks: readers that would have to guess what was done to the bytes; and two contents, one of them plain, under one
    identifier.

    Fix: keep both with the object, and never transform what was transformed.
    """
    content = zlib.compress(_CONTENT)
    options: tuple[dict[str, str], ...] = ({}, {"compression": "ZLIB"}, {"encryption": "AES_256_GCM"})
    found = []
    for number, metadata in enumerate(options):
        key = s3.key(str(number))
        s3.expect(s3.call("PutObject", Key=key, Body=content, Metadata=metadata), ok())
        shown = s3.call("HeadObject", Key=key)
        found.append(cid(s3, s3.look("HeadObject", Key=key)))
        s3.expect(shown, metadata_is({**metadata, "cid": found[-1]}))
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.check(len({*found}) == len(options), "three identifiers", f"they are {found}")


@scenario(
    "CID-007",
    MUST,
    "PutObject",
    source=f"{AUTO_DRIVE}, File Ownership",
    clients=CALLERS,
    feature="cid",
)
def whoever_stores_it(s3: Scene) -> None:
    """The same content has the same identifier whichever user stores it, and each of them reads their own key.

    The gateway promises: users who upload identical content share one identifier, though each owns what they stored.

    Breaks: deduplication among users, and links by identifier that would work for one user alone.

    Fix: leave the user out of what is hashed.
    """
    key = s3.key()
    elsewhere: dict[str, Any] = {"Bucket": s3.bucket_name(), "Key": s3.key("theirs")}
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT), ok())
    named = cid(s3, s3.look("HeadObject", Key=key))
    theirs = s3.as_stranger("PutObject", **elsewhere, Body=_CONTENT)
    s3.check(cid(s3, theirs) == named, f"for the other user too: {named}", f"it is {cid(s3, theirs)}", theirs)
    s3.expect(s3.as_stranger("GetObject", **elsewhere), ok(), body(_CONTENT), header("x-amz-meta-cid", named))
