"""CWR: conditional writes with CompleteMultipartUpload."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, etag, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._conditional import STALE, failed, put_for_etag
from scenarios.conditional_writes import FIRST, SECOND
from scenarios.mpu import begin, naming, nothing_stored, read_back, store

PART = b"the only part of the upload"


def ready(s3: Scene, key: str) -> dict[str, Any]:
    """An upload with its one part stored: all that CompleteMultipartUpload takes but a condition."""
    upload = begin(s3, key)
    return upload | naming(store(s3, upload, 1, PART))


def complete(s3: Scene, upload: dict[str, Any], **condition: str) -> Observed:
    """The client under test completes the upload under a condition."""
    return s3.call("CompleteMultipartUpload", **upload, **condition)


def conflict(**fields: str) -> Matcher:
    """409 ConditionalRequestConflict with these elements."""
    return refused(409, "ConditionalRequestConflict", fields=fields)


@scenario(
    "CWR-009",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_if_none_match_with_put (recorded on AWS); Moto "
    "test_multipart_upload__if_none_match__put_object (verified on AWS)",
    clients=LIBRARIES,
)
def complete_creates_only(s3: Scene) -> None:
    """CompleteMultipartUpload with If-None-Match: * is refused with 412 where the key has got an object meanwhile.

    S3 promises: the condition is evaluated when the upload is completed, not when it was begun. An object that was
    stored in between stays, and the answer is 412 PreconditionFailed.

    Breaks: writers of large files that use the header as their lock (table formats, archives that are written once):
    whoever finishes last replaces the finished file of the other, and both were told 200.

    Fix: evaluate the condition in the transaction that makes the joined object visible.
    """
    key, free = s3.key(), s3.key("free")
    s3.expect(complete(s3, ready(s3, free), IfNoneMatch="*"), ok())
    read_back(s3, free, PART)
    upload = ready(s3, key)
    s3.put(key, FIRST)
    s3.expect(complete(s3, upload, IfNoneMatch="*"), refused(412, "PreconditionFailed"))
    read_back(s3, key, FIRST)


@scenario(
    "CWR-010",
    EXTENDED,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_if_none_match_with_delete (recorded on AWS)",
    clients=LIBRARIES,
)
def deleted_while_uploading(s3: Scene) -> None:
    """If-None-Match: * completes no upload during which the key's object was deleted: 409 ConditionalRequestConflict.

    S3 promises: the deletion came after the upload began, and S3 does not say which of the two was meant to be last.
    The answer is 409 with Condition If-None-Match and the Key; an upload begun after the deletion completes.

    Breaks: strict validation for most stores. Clients that know this answer begin the upload again, which is right for
    them in either case.

    Fix: note on open uploads of a key that it was deleted, and look at the note when a conditional completion comes.
    """
    key = s3.key()
    s3.put(key, FIRST)
    upload = ready(s3, key)
    s3.setup("DeleteObject", Key=key)
    s3.expect(complete(s3, upload, IfNoneMatch="*"), conflict(Condition="If-None-Match", Key=key))
    nothing_stored(s3, key)
    s3.expect(complete(s3, ready(s3, key), IfNoneMatch="*"), ok())
    read_back(s3, key, PART)


@scenario(
    "CWR-011",
    EXTENDED,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_if_match_with_put and test_multipart_if_match_with_put_identical (recorded "
    "on AWS)",
    clients=LIBRARIES,
)
def written_while_uploading(s3: Scene) -> None:
    """If-Match completes no upload during which the key was written again, even if the ETag matches: 409.

    S3 promises: a key that was written while the upload was open is a conflict: 409 ConditionalRequestConflict, whether
    the bytes are new ones or the same as before. Without such a write the current ETag lets the completion through.

    Breaks: strict validation for most stores. The ETag alone cannot show that somebody wrote the same bytes on purpose;
    clients that know this answer read the object again and start over.

    Fix: note on open uploads of a key that it was written, and look at the note when a conditional completion comes.
    """
    key = s3.key()
    s3.put(key, FIRST)
    for content in (FIRST, SECOND):
        upload = ready(s3, key)
        tag = put_for_etag(s3, key, content)
        s3.expect(complete(s3, upload, IfMatch=tag), conflict())
        read_back(s3, key, content)
    s3.expect(complete(s3, ready(s3, key), IfMatch=tag), ok())
    read_back(s3, key, PART)


@scenario(
    "CWR-012",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_if_match_with_put and test_multipart_if_match_etag (recorded on AWS)",
    clients=LIBRARIES,
)
def complete_replaces_if_unchanged(s3: Scene) -> None:
    """CompleteMultipartUpload with a stale ETag in If-Match is refused with 412; with the current one it replaces.

    S3 promises: as for PutObject, the object is replaced only while it has the ETag. Otherwise the answer is 412
    PreconditionFailed, and the object stays.

    Breaks: programs that update large files under compare-and-swap; SDKs switch to multipart uploads at some size, and
    the protection must not end there.

    Fix: use the same check for a completion as for PutObject, in the same transaction as the replacement.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST)
    upload = ready(s3, key)
    s3.expect(complete(s3, upload, IfMatch=STALE), refused(412, "PreconditionFailed"))
    read_back(s3, key, FIRST)
    s3.expect(complete(s3, ready(s3, key), IfMatch=first), ok())
    read_back(s3, key, PART)


@scenario(
    "CWR-013",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_if_match_with_delete (recorded on AWS)",
    clients=LIBRARIES,
)
def complete_with_nothing_to_match(s3: Scene) -> None:
    """CompleteMultipartUpload with If-Match on a key whose object was deleted is refused with 404 NoSuchKey.

    S3 promises: there is nothing that could have the ETag. The answer is 404 NoSuchKey, and no object appears.

    Breaks: an updater that finishes after the object was removed would bring it back; 404 tells it apart from an object
    that somebody changed, and from an upload that is gone (NoSuchUpload).

    Fix: look the key up before comparing; do not reuse the code of a missing upload.
    """
    key, other = s3.key(), s3.key("other")
    first, second = put_for_etag(s3, key, FIRST), put_for_etag(s3, other, SECOND)
    s3.expect(complete(s3, ready(s3, other), IfMatch=second), ok())
    upload = ready(s3, key)
    s3.setup("DeleteObject", Key=key)
    s3.expect(complete(s3, upload, IfMatch=first), refused(404, "NoSuchKey"))
    nothing_stored(s3, key)
    read_back(s3, other, PART)


@scenario(
    "CWR-014",
    EXTENDED,
    "CompleteMultipartUpload",
    source="Moto test_idempotent_multipart_upload (verified on AWS)",
    clients=LIBRARIES,
)
def complete_again_under_condition(s3: Scene) -> None:
    """A finished CompleteMultipartUpload that had If-None-Match: * is answered 200 again when it is repeated.

    S3 promises: the repetition of a request that succeeded succeeds, with the ETag of the object, although by now the
    key has an object: the one that this very upload stored.

    Breaks: SDKs send a completion again when the connection broke before its answer. Told 412 then, the writer takes
    its own file for that of a rival and throws its work away.

    Fix: remember finished uploads for a while, and recognise the repetition before the condition is evaluated.
    """
    key = s3.key()
    upload = ready(s3, key)
    first = s3.expect(complete(s3, upload, IfNoneMatch="*"), ok())
    s3.expect(complete(s3, upload, IfNoneMatch="*"), ok(), etag(first.etag or ""))
    read_back(s3, key, PART)
    s3.expect(complete(s3, ready(s3, key), IfNoneMatch="*"), failed("If-None-Match"))
    read_back(s3, key, PART)
