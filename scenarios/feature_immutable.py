"""IMM: objects that nobody can delete, and what whoever tries is told. Whole commands: `feature_immutable_programs`."""

from __future__ import annotations

from harness.clients import CLIENTS, LIBRARIES
from harness.expect import body, keys, ok, one_of, output, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._features import AUTO_DRIVE, AUTO_DRIVE_SOURCE, EXPLAINED, cid, told
from scenarios.etag import md5_etag

_ONE_BY_ONE = tuple(name for name in CLIENTS if name != "mc")
"""Clients that send DeleteObject; mc has batches alone, which IMM-003 is about."""
_KEPT = b"kept for ever"
_NOT_OFFERED = told(refused(501, "NotImplemented"), "not supported by Auto Drive")
_SUBRESOURCES = ("tagging", "acl", "versionId=null", "policy", "lifecycle", "x-id=DeleteObject")


def kept(s3: Scene, key: str, content: bytes = _KEPT) -> None:
    """The witness reads the bytes of an object and finds it in the listing."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.look("ListObjectsV2", Prefix=key), ok(), keys([key]))


@scenario(
    "IMM-001",
    MUST,
    "DeleteObject",
    source=f"{AUTO_DRIVE}, Overview and Immutability; Auto Drive S3 announcement",
    clients=_ONE_BY_ONE,
    feature="immutable",
)
def delete_is_refused(s3: Scene) -> None:
    """DeleteObject is 403 AccessDenied with a message that says why in plain words, and the object stays.

    The gateway promises: storage is immutable. A deletion is refused with a sentence that says so, and neither the
    bytes nor the entry of the listing are touched.

    Breaks: programs that take a deletion for done; users who cannot tell a lack of permission from a store that keeps.

    Fix: refuse every deletion alike, with S3's error document and the reason in its Message.
    """
    key = s3.key()
    s3.put(key, _KEPT)
    answer = s3.call("DeleteObject", Key=key)
    kept(s3, key)
    s3.expect(answer, EXPLAINED)


@scenario(
    "IMM-002",
    SHOULD,
    "DeleteObject",
    source=f"{AUTO_DRIVE_SOURCE}, s3.ts",
    clients=LIBRARIES,
    feature="immutable",
)
def delete_of_nothing_is_refused(s3: Scene) -> None:
    """DeleteObject of a key that never was is refused as that of any other, and still there is nothing.

    The gateway promises: a deletion is refused before anything is looked up.

    Breaks: nothing that deletes what is there; but from two answers strangers could tell which keys exist.

    Fix: refuse by method, before the key is looked at.
    """
    key = s3.key("never")
    s3.expect(s3.call("DeleteObject", Key=key), EXPLAINED)
    s3.expect(s3.look("GetObject", Key=key), refused(404))


@scenario(
    "IMM-003",
    MUST,
    "DeleteObjects",
    source=f"{AUTO_DRIVE}, Compatibility Notes (403); {AUTO_DRIVE_SOURCE}, http.ts (501)",
    clients=LIBRARIES,
    feature="immutable",
)
def batch_is_refused(s3: Scene) -> None:
    """DeleteObjects is refused as a whole, and every object that it names stays.

    The gateway promises: no form of deletion works. Its guide says 403, its source 501 NotImplemented; either is a
    refusal, and the note says which one came.

    Breaks: `aws s3 rm --recursive` of other tools, and SDKs, that delete in batches and trust the answer.

    Fix: refuse POST ?delete before the document is read; never answer 200.
    """
    names = [s3.key("one"), s3.key("two")]
    for name in names:
        s3.put(name, _KEPT)
    answer = s3.call("DeleteObjects", Delete={"Objects": [{"Key": name} for name in names]})
    for name in names:
        kept(s3, name)
    s3.expect(answer, one_of(EXPLAINED, _NOT_OFFERED))
    s3.note(f"DeleteObjects was answered {answer.status} {answer.code}")


@scenario(
    "IMM-004",
    MUST,
    "DeleteBucket",
    source=f"{AUTO_DRIVE}, Compatibility Notes",
    clients=_ONE_BY_ONE,
    feature="immutable",
)
def bucket_stays(s3: Scene) -> None:
    """DeleteBucket is 403 AccessDenied with the same plain words, also of an empty bucket, and objects in it stay.

    The gateway promises: a bucket is as permanent as what is in it.

    Breaks: clean-up scripts that take the removal of a bucket for the removal of what was in it.

    Fix: refuse it as any other deletion.
    """
    bucket, key = s3.new_bucket(), s3.key()
    s3.setup("PutObject", Bucket=bucket, Key=key, Body=_KEPT)
    answers = [s3.call("DeleteBucket", Bucket=name) for name in (bucket, s3.bucket_name())]
    s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(_KEPT))
    for answer in answers:
        s3.expect(answer, EXPLAINED)


@scenario(
    "IMM-005",
    MUST,
    "DeleteObject",
    "DeleteObjectTagging",
    source=f"{AUTO_DRIVE_SOURCE}, http.ts",
    clients=("raw",),
    feature="immutable",
)
def no_subresource_deletes(s3: Scene) -> None:
    """DELETE with any sub-resource is refused like DELETE without one, with or without a signature; the object stays.

    The gateway promises: the method decides, and nothing that is added to the request opens another way.

    Breaks: the promise itself. On gateways that overlook sub-resources `DELETE ?tagging` deletes the object.

    Fix: refuse the method, whatever the query, before anybody is authenticated.
    """
    key = s3.key()
    s3.put(key, _KEPT)
    target = f"/{s3.bucket}/{key}"
    answers = [
        *(s3.send("DeleteObject", "DELETE", f"{target}?{query}", bucket=s3.bucket) for query in _SUBRESOURCES),
        s3.send("DeleteObject", "DELETE", target, bucket=s3.bucket, signing=None),
    ]
    kept(s3, key)
    for answer in answers:
        s3.expect(answer, EXPLAINED)


@scenario(
    "IMM-006",
    MUST,
    "PutObject",
    source=f"{AUTO_DRIVE}, Overview and Immutability",
    clients=_ONE_BY_ONE,
    feature="immutable",
)
def overwriting_makes_another(s3: Scene) -> None:
    """PutObject of a key that exists makes a new object under it; the old content keeps its identifier.

    The gateway promises: content is never changed. The key then names the new content, with its own ETag and
    identifier, and is listed once; the content before keeps its identifier, which storing it again shows.

    Breaks: programs that hold an identifier and expect the bytes that it was given for.

    Fix: point the key at the new content, and leave the old where it is.
    """
    key, renewed = s3.key(), b"stored later, and longer"
    s3.expect(s3.call("PutObject", Key=key, Body=_KEPT), ok())
    before = cid(s3, s3.look("HeadObject", Key=key))
    s3.expect(s3.call("PutObject", Key=key, Body=renewed), ok())
    after = s3.look("GetObject", Key=key)
    s3.expect(after, ok(), body(renewed), output("ETag", md5_etag(renewed)))
    s3.check(cid(s3, after) != before, "another identifier for the new content", f"it is {before} still", after)
    s3.expect(s3.look("ListObjectsV2", Prefix=key), ok(), keys([key]))
    s3.put(s3.key("again"), _KEPT)
    again = s3.look("HeadObject", Key=s3.key("again"))
    s3.check(cid(s3, again) == before, f"{before} for the old content", f"it is {cid(s3, again)}", again)
