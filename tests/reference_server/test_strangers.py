"""Nobody can do anything with the bucket of another account, by any operation or in any other way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.forms import KIND, encode, signed
from tests.reference_server.catalogue.steps import Upload, refusal, texts, tree
from tests.reference_server.privileges import ASKS, WAYS, Ask, World
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

DENIED = (403, "AccessDenied")
OTHER = ("OTHERKEY", "other-secret")
BY_OWNER, BY_OTHER = Signer(), Signer(*OTHER)
WHO = pytest.mark.parametrize("who", [None, BY_OTHER], ids=["anonymous", "other"])
MODES = pytest.mark.parametrize("acls", [False, True], ids=["enforced", "acls"])


@pytest.fixture(scope="module")
def worlds(running: Running) -> dict[bool, World]:
    """A world without ACLs and one with them."""
    return {acls: World(running.raw(), open_to_acls=acls) for acls in (False, True)}


@pytest.fixture(scope="module")
def other(running: Running) -> Raw:
    """Requests of the other account."""
    return running.raw(OTHER)


def state(running: Running) -> str:
    """A digest of everything that is stored."""
    found = hashlib.sha256()
    with running.store.lock:
        tables = [row[0] for row in running.store.rows("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in sorted(tables):
            for row in running.store.rows(f"SELECT * FROM {table}"):  # noqa: S608 - names of our own tables
                found.update(repr(row).encode())
    return found.hexdigest()


# Strangers


def test_there_is_a_request_for_every_operation(running: Running) -> None:
    """A new operation cannot be forgotten below."""
    assert set(ASKS) == set(running.app.operations)


@MODES
@pytest.mark.parametrize("operation", sorted(ASKS))
def test_the_owner_may(raw: Raw, operation: str, acls: bool) -> None:
    """So each request would work if only the right account sent it; without ACLs two of them cannot."""
    reply = World(raw, open_to_acls=acls).ask(ASKS[operation], raw, BY_OWNER)
    if operation in ("PutBucketAcl", "PutObjectAcl") and not acls:
        assert refusal(reply) == (400, "AccessControlListNotSupported")
    else:
        assert 200 <= reply.status < 300, reply.body


@pytest.mark.parametrize("operation", sorted(set(ASKS) - {"CreateBucket", "DeleteObjects", "ListBuckets"}))
@WHO
@MODES
def test_a_stranger_may_not(
    running: Running, worlds: dict[bool, World], other: Raw, operation: str, who: Signer | None, acls: bool
) -> None:
    """They are told nothing and change nothing."""
    before = state(running)
    denied(worlds[acls].ask(ASKS[operation], other, who))
    assert state(running) == before


def denied(reply: Reply) -> None:
    """The answer is 403 and nothing else."""
    assert reply.status == 403
    assert b"secret" not in reply.body
    assert reply.code == ("AccessDenied" if reply.body else "")
    assert {"etag", "x-amz-version-id", "x-amz-bucket-region", "last-modified"}.isdisjoint(reply.headers)


@pytest.mark.parametrize("way", sorted(WAYS))
@WHO
@MODES
def test_there_is_no_other_way(
    running: Running, worlds: dict[bool, World], other: Raw, way: str, who: Signer | None, acls: bool
) -> None:
    """Not by versions, ranges, conditions, bypasses or ACLs."""
    before = state(running)
    denied(worlds[acls].ask(WAYS[way], other, who))
    assert state(running) == before


@pytest.mark.parametrize(
    "target", ["/{bucket}/none", "/{bucket}/k?versionId=none", "/{bucket}/none?uploadId=none", "/{bucket}/none?tagging"]
)
@WHO
@MODES
def test_what_is_not_there_is_denied_all_the_same(
    worlds: dict[bool, World], other: Raw, target: str, who: Signer | None, acls: bool
) -> None:
    """Else strangers could find out by asking."""
    reply = worlds[acls].ask(Ask("GET", target), other, who)
    assert refusal(reply) in (DENIED, (400, "InvalidArgument"))
    assert reply.status == 403 or "versionId=none" in target


@WHO
def test_a_stranger_deletes_nothing_in_a_batch(
    running: Running, worlds: dict[bool, World], other: Raw, who: Signer | None
) -> None:
    """Each entry is denied, keys and versions alike."""
    before = state(running)
    for acls in (False, True):
        reply = worlds[acls].ask(ASKS["DeleteObjects"], other, who)
        root = tree(reply)
        assert (reply.status, texts(root, "Error/Code")) == (200, ["AccessDenied"] * 2)
        assert root.findall("Deleted") == []
    assert state(running) == before


def test_accounts_see_and_make_buckets_of_their_own(running: Running, worlds: dict[bool, World], other: Raw) -> None:
    """A name that is taken stays with its owner; without a signature there are no buckets at all."""
    world = worlds[False]
    assert refusal(other("PUT", f"/{world.bucket}"), "BucketName") == (409, "BucketAlreadyExists", world.bucket)
    assert other("PUT", "/others-own-bucket").status == 200
    theirs = texts(tree(other("GET", "/")), "Buckets/Bucket/Name")
    assert ("others-own-bucket" in theirs, world.bucket in theirs) == (True, False)
    assert "others-own-bucket" not in texts(tree(running.raw()("GET", "/")), "Buckets/Bucket/Name")
    before = state(running)
    for method, target in (("GET", "/"), ("PUT", "/made-by-nobody"), ("PUT", f"/{world.bucket}")):
        assert refusal(other(method, target, sign=False)) == DENIED
    assert state(running) == before


@MODES
def test_nothing_is_copied_out_of_the_bucket_of_another(worlds: dict[bool, World], other: Raw, acls: bool) -> None:
    """Neither whole nor in parts, neither the present version nor an old one, nor is it told what there is."""
    world = worlds[acls]
    mine = f"/others-copies-{int(acls)}"
    assert other("PUT", mine).status == 200
    upload = Upload(other, f"{mine}/up")
    for key in ("k", f"k?versionId={world.old}", "none", f"none?versionId={world.old}"):
        source = f"/{world.bucket}/{key}"
        assert refusal(other("PUT", f"{mine}/copy", headers={"x-amz-copy-source": source})) == DENIED
        assert refusal(upload.copy(1, source)) == DENIED
        assert refusal(upload.copy(1, source, {"x-amz-copy-source-range": "bytes=0-0"})) == DENIED
    assert other("GET", mine).elements("Key") == []


@WHO
def test_a_website_of_a_private_bucket_is_closed(worlds: dict[bool, World], other: Raw, who: Signer | None) -> None:
    """Whoever signs, visitors are nobody."""
    for world in worlds.values():
        host = other.host.replace("127.0.0.1", f"{world.bucket}.s3-website.localhost")
        for path in ("/", "/k", "/none"):
            reply = other("GET", path, host=host, sign=who is not None)
            assert (reply.status, b"secret" in reply.body) == (403, False)


def test_a_stranger_presigns_in_vain(worlds: dict[bool, World], other: Raw) -> None:
    """A URL gives what its signer has; neither does the key of one account sign for the bucket of another."""
    world = worlds[False]
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        target = BY_OTHER.presigned(method, f"/{world.bucket}/k", {"Host": other.host})
        denied(other(method, target, sign=False))
    form = encode(signed(world.bucket, {"key": "k"}, signer=BY_OTHER))
    host = other.host.replace("127.0.0.1", f"{world.bucket}.localhost")
    assert refusal(other("POST", "/", form, KIND, sign=False, host=host)) == DENIED
    assert refusal(other("GET", "/k", host=host)) == DENIED


def test_nobody_owns_the_bucket_that_a_write_would_make(implicit: Running) -> None:
    """Where buckets appear by themselves, they do not for those who have not signed, however often they try."""
    raw = implicit.raw()
    for _ in range(2):
        for method, target in (("PUT", "/of-nobody/k"), ("POST", "/of-nobody/k?uploads"), ("GET", "/of-nobody/k")):
            assert refusal(raw(method, target, b"", sign=False)) == DENIED
