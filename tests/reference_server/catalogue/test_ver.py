"""Versioning of objects: catalogue family VER."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.histories import history, mark, put
from tests.reference_server.catalogue.steps import (
    Upload,
    fields,
    md5_header,
    names,
    put_document,
    refusal,
    tree,
    version,
)

if TYPE_CHECKING:
    from conftest import Raw, Reply

#: Looks like a version id, and is refused as none: recorded on AWS, whose ids vouch for themselves.
MADE_UP = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"
MARKED = "x-amz-delete-marker"
ID = "x-amz-version-id"


@pytest.fixture
def enabled(raw: Raw, bucket: str) -> str:
    """A bucket that keeps versions."""
    version(raw, bucket)
    return bucket


def status_of(raw: Raw, bucket: str) -> str | None:
    """What GetBucketVersioning says, None for nothing."""
    reply = raw("GET", f"/{bucket}?versioning")
    root = tree(reply)
    assert (reply.status, root.tag) == (200, "VersioningConfiguration")
    return root.findtext("Status")


def configure(raw: Raw, bucket: str, document: str) -> Reply:
    """PutBucketVersioning."""
    return put_document(raw, f"/{bucket}?versioning", document)


def body_of(raw: Raw, path: str, version_id: str = "") -> bytes:
    """The bytes of a version, by default the newest."""
    reply = raw("GET", f"{path}?versionId={version_id}" if version_id else path)
    assert reply.status == 200, reply.body
    return reply.body


# The state of a bucket


@pytest.mark.catalogue("VER-001")
def test_a_new_bucket_says_nothing_of_versions(raw: Raw, bucket: str) -> None:
    """Not `Disabled`, not `Suspended`: an empty document."""
    reply = raw("GET", f"/{bucket}?versioning")
    root = tree(reply)
    assert (reply.status, root.tag, names(root), (root.text or "").strip()) == (200, "VersioningConfiguration", [], "")


@pytest.mark.catalogue("VER-002")
@pytest.mark.parametrize("order", [("Enabled", "Suspended"), ("Suspended", "Enabled")], ids="-".join)
def test_versioning_can_be_switched_both_ways(raw: Raw, bucket: str, order: tuple[str, ...]) -> None:
    """Suspended may come first; what was put last is what the bucket says, as often as it is put."""
    for status in (*order, order[-1], order[0]):
        reply = configure(raw, bucket, f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>")
        assert reply.status == 200
        assert status_of(raw, bucket) == status


@pytest.mark.catalogue("VER-003")
@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<Status>enabled</Status>", "MalformedXML"),
        ("<Status>Disabled</Status>", "MalformedXML"),
        ("<Status>ENABLED</Status>", "MalformedXML"),
        ("<Status></Status>", "MalformedXML"),
        ("<Status>Enabled", "MalformedXML"),
        ("", "IllegalVersioningConfigurationException"),
        ("<MfaDelete>Disabled</MfaDelete>", "IllegalVersioningConfigurationException"),
    ],
)
def test_a_state_that_is_none_changes_nothing(raw: Raw, enabled: str, inside: str, code: str) -> None:
    """Only the two words count, in this spelling."""
    found = configure(raw, enabled, f"<VersioningConfiguration>{inside}</VersioningConfiguration>")
    assert refusal(found) == (400, code)
    assert status_of(raw, enabled) == "Enabled"


@pytest.mark.catalogue("VER-004")
def test_versioning_needs_a_document(raw: Raw, bucket: str) -> None:
    """Without one nothing is switched on or off."""
    found = raw("PUT", f"/{bucket}?versioning", headers=md5_header(b""))
    assert refusal(found) == (400, "MissingRequestBodyError")
    assert status_of(raw, bucket) is None


@pytest.mark.catalogue("VER-019")
def test_a_bucket_with_locks_keeps_its_versions(raw: Raw, bucket: str) -> None:
    """Suspending would let locked objects be overwritten; asking once more for versions is fine."""
    locked = f"{bucket}-locked"
    assert raw("PUT", f"/{locked}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    assert status_of(raw, locked) == "Enabled"
    suspend = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    assert refusal(configure(raw, locked, suspend)) == (409, "InvalidBucketState")
    assert status_of(raw, locked) == "Enabled"
    version(raw, locked)


# Writing


@pytest.mark.catalogue("VER-005")
def test_every_write_is_a_version_of_its_own(raw: Raw, enabled: str) -> None:
    """Even the same bytes again; all versions stay readable by their ids, the last one without."""
    path = f"/{enabled}/k"
    bodies = [b"one", b"two", b"two", b""]
    ids = [put(raw, path, body) for body in bodies]
    assert len({*ids, "null"}) == len(ids) + 1
    assert [body_of(raw, path, each) for each in ids] == bodies
    newest = raw("GET", path)
    assert (newest.body, newest.headers[ID]) == (b"", ids[-1])
    for each in ids:
        assert raw("HEAD", f"{path}?versionId={each}").headers[ID] == each


@pytest.mark.catalogue("VER-006")
def test_version_ids_are_32_safe_characters(raw: Raw, enabled: str) -> None:
    """They go into URLs as they are; ids of objects and of delete markers look the same."""
    ids = [put(raw, f"/{enabled}/k") for _ in range(5)] + [mark(raw, f"/{enabled}/k")]
    assert [each for each in ids if not re.fullmatch(r"[A-Za-z0-9._]{32}", each)] == []


@pytest.mark.catalogue("VER-007")
@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_an_object_from_before_is_the_null_version(raw: Raw, bucket: str, status: str) -> None:
    """It shows no id until versioning is set, and from then on the id `null`."""
    path = f"/{bucket}/k"
    assert put(raw, path, b"before") == "null"
    assert ID not in raw("GET", path).headers
    version(raw, bucket, status)
    for target in (path, f"{path}?versionId=null"):
        for method in ("GET", "HEAD"):
            assert raw(method, target).headers[ID] == "null"
    version(raw, bucket)
    put(raw, path, b"after")
    assert (body_of(raw, path, "null"), body_of(raw, path)) == (b"before", b"after")


@pytest.mark.catalogue("VER-008")
def test_a_suspended_bucket_overwrites_its_null_version_only(raw: Raw, enabled: str) -> None:
    """The answer names no version; earlier versions with an id stay, the null version is replaced."""
    path = f"/{enabled}/k"
    old, newer = put(raw, path, b"old"), put(raw, path, b"newer")
    version(raw, enabled, "Suspended")
    for body in (b"first null", b"second null"):
        reply = raw("PUT", path, body)
        assert (reply.status, reply.headers.get(ID)) == (200, None)
        assert [(entry.id, entry.latest) for entry in history(raw, enabled)] == [
            ("null", True),
            (newer, False),
            (old, False),
        ]
        found = raw("GET", path)
        assert (found.body, found.headers[ID]) == (body, "null")
    assert (body_of(raw, path, old), body_of(raw, path, newer)) == (b"old", b"newer")
    version(raw, enabled)
    latest = put(raw, path, b"again")
    assert [entry.id for entry in history(raw, enabled)] == [latest, "null", newer, old]


# Deleting


@pytest.mark.catalogue("VER-009")
def test_a_delete_covers_and_keeps(raw: Raw, enabled: str) -> None:
    """A delete marker is the newest version; what it covers can be read by its id."""
    path = f"/{enabled}/k"
    ids = [put(raw, path, body) for body in (b"one", b"two")]
    reply = raw("DELETE", path)
    assert (reply.status, reply.body, reply.headers[MARKED]) == (204, b"", "true")
    marker = reply.headers[ID]
    assert marker not in {*ids, "null"}
    assert [body_of(raw, path, each) for each in ids] == [b"one", b"two"]
    assert [(entry.kind, entry.id, entry.latest) for entry in history(raw, enabled)] == [
        ("DeleteMarker", marker, True),
        ("Version", ids[1], False),
        ("Version", ids[0], False),
    ]
    assert raw("GET", f"/{enabled}?list-type=2").elements("Key") == []


@pytest.mark.catalogue("VER-010")
def test_deleting_nothing_leaves_a_marker(raw: Raw, enabled: str) -> None:
    """So does deleting once more what is deleted."""
    path = f"/{enabled}/never"
    first, second = mark(raw, path), mark(raw, path)
    assert [(entry.kind, entry.id, entry.latest) for entry in history(raw, enabled)] == [
        ("DeleteMarker", second, True),
        ("DeleteMarker", first, False),
    ]


@pytest.mark.catalogue("VER-011")
def test_a_suspended_bucket_deletes_its_null_version(raw: Raw, enabled: str) -> None:
    """The marker takes the id and the place of the null version; versions with ids stay."""
    path = f"/{enabled}/k"
    old = put(raw, path, b"old")
    version(raw, enabled, "Suspended")
    assert put(raw, path, b"null") == "null"
    for _ in range(2):
        assert mark(raw, path) == "null"
        assert [(entry.kind, entry.id, entry.latest) for entry in history(raw, enabled)] == [
            ("DeleteMarker", "null", True),
            ("Version", old, False),
        ]
    assert put(raw, path, b"again") == "null"
    assert [(entry.kind, entry.id) for entry in history(raw, enabled)] == [("Version", "null"), ("Version", old)]
    assert (body_of(raw, path), body_of(raw, path, old)) == (b"again", b"old")


@pytest.mark.catalogue("VER-012")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_covered_is_not_found_and_says_why(raw: Raw, enabled: str, method: str) -> None:
    """404 as for any missing key, with the marker in the headers; a key that never was shows none."""
    path = f"/{enabled}/k"
    put(raw, path)
    marker = mark(raw, path)
    reply = raw(method, path)
    assert (reply.status, reply.headers[MARKED], reply.headers[ID]) == (404, "true", marker)
    if method == "GET":
        assert (reply.code, reply.element("Key")) == ("NoSuchKey", "k")
    absent = raw(method, f"/{enabled}/never")
    assert (absent.status, absent.headers.get(MARKED), absent.headers.get(ID)) == (404, None, None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_marker_has_nothing_to_read(raw: Raw, enabled: str, method: str) -> None:
    """Named by its id it is found, and only deleting it is allowed. Source: API Reference, GetObject; recorded."""
    path = f"/{enabled}/k"
    put(raw, path)
    marker = mark(raw, path)
    reply = raw(method, f"{path}?versionId={marker}")
    assert (reply.status, reply.headers[MARKED], reply.headers[ID]) == (405, "true", marker)
    assert reply.headers["allow"] == "DELETE"
    assert reply.headers["last-modified"].endswith(" GMT")
    if method == "GET":
        found = refusal(reply, "Method", "ResourceType")
        assert found == (405, "MethodNotAllowed", "GET", "DeleteMarker")


@pytest.mark.catalogue("VER-014")
def test_deleting_the_marker_brings_the_object_back(raw: Raw, enabled: str) -> None:
    """The answer says that it was a marker; the version below becomes the newest."""
    path = f"/{enabled}/k"
    kept = put(raw, path, b"kept")
    marker = mark(raw, path)
    reply = raw("DELETE", f"{path}?versionId={marker}")
    assert (reply.status, reply.headers[MARKED], reply.headers[ID]) == (204, "true", marker)
    found = raw("GET", path)
    assert (found.body, found.headers[ID]) == (b"kept", kept)
    assert raw("GET", f"/{enabled}?list-type=2").elements("Key") == ["k"]


def test_deleting_a_version_says_which_and_can_be_repeated(raw: Raw, enabled: str) -> None:
    """No marker is left or mentioned; a version that is gone can be deleted again, as recorded on AWS."""
    path = f"/{enabled}/k"
    doomed = put(raw, path)
    for _ in range(2):
        reply = raw("DELETE", f"{path}?versionId={doomed}")
        assert (reply.status, reply.headers.get(MARKED), reply.headers[ID]) == (204, None, doomed)
        assert history(raw, enabled) == []


@pytest.mark.catalogue("VER-018")
def test_many_deletes_in_one_request_make_markers(raw: Raw, enabled: str) -> None:
    """An entry without a version makes a marker, also for a key that never was; one with a version removes it."""
    path = f"/{enabled}/k"
    stored, other = put(raw, path, b"one"), put(raw, path, b"two")

    def delete(inside: str) -> dict[str, dict[str, str]]:
        body = f"<Delete>{inside}</Delete>".encode()
        reply = raw("POST", f"/{enabled}?delete", body, md5_header(body))
        assert (reply.status, reply.element("Error")) == (200, "")
        found = [fields(element) for element in tree(reply).findall("Deleted")]
        return {each["Key"]: each for each in found}

    made = delete("<Object><Key>k</Key></Object><Object><Key>never</Key></Object>")
    markers = {key: each["DeleteMarkerVersionId"] for key, each in made.items()}
    assert made == {
        key: {"Key": key, "DeleteMarker": "true", "DeleteMarkerVersionId": marker} for key, marker in markers.items()
    }
    assert [(entry.kind, entry.key, entry.id) for entry in history(raw, enabled)] == [
        ("DeleteMarker", "k", markers["k"]),
        ("Version", "k", other),
        ("Version", "k", stored),
        ("DeleteMarker", "never", markers["never"]),
    ]
    doomed = f"<Object><Key>k</Key><VersionId>{stored}</VersionId></Object>"
    assert delete(doomed) == {"k": {"Key": "k", "VersionId": stored}}
    doomed = f"<Object><Key>k</Key><VersionId>{markers['k']}</VersionId></Object>"
    removed = {"VersionId": markers["k"], "DeleteMarker": "true", "DeleteMarkerVersionId": markers["k"]}
    assert delete(doomed) == {"k": {"Key": "k", **removed}}
    assert body_of(raw, path) == b"two"


@pytest.mark.parametrize("key", ["k", "never"])
def test_an_id_that_is_none_fails_its_entry(raw: Raw, enabled: str, key: str) -> None:
    """Whether the key exists or not. Source: recorded."""
    put(raw, f"/{enabled}/k")
    body = f"<Delete><Object><Key>{key}</Key><VersionId>{MADE_UP}</VersionId></Object></Delete>".encode()
    reply = raw("POST", f"/{enabled}?delete", body, md5_header(body))
    (error,) = [fields(element) for element in tree(reply).findall("Error")]
    assert (reply.status, error["Code"], error["Key"], error["VersionId"]) == (200, "NoSuchVersion", key, MADE_UP)


# Naming versions


@pytest.mark.catalogue("VER-015")
@pytest.mark.parametrize("key", ["k", "never"])
def test_a_version_that_is_gone_is_not_found(raw: Raw, enabled: str, key: str) -> None:
    """Its id has the right form, but belongs to no version of the key."""
    path = f"/{enabled}/k"
    put(raw, path, b"stays")
    gone = put(raw, path, b"goes")
    raw("DELETE", f"{path}?versionId={gone}")
    found = raw("GET", f"/{enabled}/{key}?versionId={gone}")
    assert refusal(found, "Key", "VersionId") == (404, "NoSuchVersion", key, gone)
    assert (found.headers.get(MARKED), found.headers.get(ID)) == (None, None)
    assert raw("HEAD", f"/{enabled}/{key}?versionId={gone}").status == 404


@pytest.mark.catalogue("VER-015")
def test_a_null_version_that_never_was_is_not_found(raw: Raw, enabled: str) -> None:
    """`null` is an id like any other once there are versions."""
    path = f"/{enabled}/k"
    put(raw, path)
    for target in (path, f"/{enabled}/never"):
        found = raw("GET", f"{target}?versionId=null")
        assert refusal(found, "VersionId") == (404, "NoSuchVersion", "null")


@pytest.mark.catalogue("VER-016")
@pytest.mark.parametrize("wrong", ["nonsense", MADE_UP, "null ", "NULL", "0" * 32, "%C3%A9", "a" * 33])
@pytest.mark.parametrize("versioned", [True, False])
def test_an_id_that_no_version_could_have_is_refused(raw: Raw, bucket: str, versioned: bool, wrong: str) -> None:
    """In every bucket, whatever is done with it."""
    if versioned:
        version(raw, bucket)
    path = f"/{bucket}/k"
    put(raw, path)
    for method in ("GET", "DELETE"):
        found = refusal(raw(method, f"{path}?versionId={wrong.replace(' ', '%20')}"), "ArgumentName")
        assert found == (400, "InvalidArgument", "versionId"), method
    assert raw("HEAD", f"{path}?versionId={wrong.replace(' ', '%20')}").status == 400
    assert raw("GET", path).status == 200


@pytest.mark.catalogue("VER-016")
def test_an_altered_id_is_refused(raw: Raw, enabled: str) -> None:
    """An id vouches for itself: four characters changed, and it is none. Source: recorded."""
    path = f"/{enabled}/k"
    altered = f"{put(raw, path)[:-4]}ABCD"
    for method in ("GET", "DELETE"):
        found = refusal(raw(method, f"{path}?versionId={altered}"), "ArgumentName", "ArgumentValue")
        assert found == (400, "InvalidArgument", "versionId", altered)


@pytest.mark.catalogue("VER-017")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_object_without_versions_is_the_null_version_too(raw: Raw, bucket: str, method: str) -> None:
    """Asking for it by that id is no mistake, and the answer still shows no id."""
    put(raw, f"/{bucket}/k", b"data")
    found = raw(method, f"/{bucket}/k?versionId=null")
    assert (found.status, found.headers["content-length"], found.headers.get(ID)) == (200, "4", None)


# Other ways to write


@pytest.mark.catalogue("VER-020")
def test_copies_and_completed_uploads_are_versions_too(raw: Raw, enabled: str) -> None:
    """Both answers name the version they made; a completion asked for again names the same."""
    path = f"/{enabled}/k"
    first = put(raw, path, b"first")
    copied = raw("PUT", path, headers={"x-amz-copy-source": f"{path}?versionId={first}"})
    upload = Upload(raw, path)
    parts = [(1, upload.part(1, b"joined").headers["etag"], "")]
    completed, again = upload.complete(parts), upload.complete(parts)
    assert (copied.status, completed.status, again.status) == (200, 200, 200)
    ids = [first, copied.headers[ID], completed.headers[ID]]
    assert again.headers[ID] == ids[-1]
    assert [entry.id for entry in history(raw, enabled)] == ids[::-1]
    assert [body_of(raw, path, each) for each in ids] == [b"first", b"first", b"joined"]


@pytest.mark.catalogue("VER-008", "VER-020")
def test_a_suspended_bucket_names_no_version_for_copies_and_uploads(raw: Raw, enabled: str) -> None:
    """They are the null version as plain writes are, and replace one another."""
    path = f"/{enabled}/k"
    kept = put(raw, path, b"kept")
    version(raw, enabled, "Suspended")
    copied = raw("PUT", path, headers={"x-amz-copy-source": f"{path}?versionId={kept}"})
    assert (copied.status, copied.headers.get(ID), copied.headers["x-amz-copy-source-version-id"]) == (200, None, kept)
    done = Upload(raw, path).finish(b"joined")
    assert (done.status, done.headers.get(ID)) == (200, None)
    assert [entry.id for entry in history(raw, enabled)] == ["null", kept]
    assert (body_of(raw, path), body_of(raw, path, "null")) == (b"joined", b"joined")


@pytest.mark.catalogue("VER-005", "VER-009", "VER-014")
def test_versions_as_boto3_sees_them(s3: Any, enabled: str) -> None:
    """The members of the SDK: VersionId, DeleteMarker, Versions, DeleteMarkers."""
    first = s3.put_object(Bucket=enabled, Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=enabled, Key="k", Body=b"two")["VersionId"]
    gone = s3.delete_object(Bucket=enabled, Key="k")
    assert gone["DeleteMarker"] is True
    assert s3.get_object(Bucket=enabled, Key="k", VersionId=first)["Body"].read() == b"one"
    listed = s3.list_object_versions(Bucket=enabled)
    assert [each["VersionId"] for each in listed["Versions"]] == [second, first]
    assert [each["VersionId"] for each in listed["DeleteMarkers"]] == [gone["VersionId"]]
    removed = s3.delete_object(Bucket=enabled, Key="k", VersionId=gone["VersionId"])
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, gone["VersionId"])
    assert s3.head_object(Bucket=enabled, Key="k")["VersionId"] == second
