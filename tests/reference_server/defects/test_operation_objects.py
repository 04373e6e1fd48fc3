"""Defects of operations on buckets and objects."""

from __future__ import annotations

import hashlib

import pytest

from tests.reference_server.catalogue.steps import md5_header
from tests.reference_server.conftest import OTHER
from tests.reference_server.defects.probing import ETAG, TEN, Lab, Probe, empty, keys, names_in, one, versioned
from tests.reference_server.signing import Signer, unsigned_body


def put(*names: str) -> Probe:
    """Puts empty objects under these names; it observes the status of each, and the keys that are there then."""
    return Probe(
        lambda lab, b: ([lab.raw("PUT", f"/{b}/{name}").status for name in names], lab.keys(b)),
        ([200] * len(names), sorted(names)),
        None,
        empty,
    )


def but(probe: Probe, statuses: list[int], found: list[str]) -> Probe:
    """The probe, with what it observes of the defect."""
    return Probe(probe.ask, probe.honest, (statuses, found), probe.given)


def named(lab: Lab, bucket: str) -> tuple[int, int]:
    """Creation of a bucket whose name is wrong, and whether it is there then."""
    name = bucket.upper().replace("-", "_")
    return lab.raw("PUT", f"/{name}").status, lab.raw("GET", f"/{name}?list-type=2").status


def created_again(lab: Lab, bucket: str) -> list[tuple[int, str]]:
    """Creation of a bucket that is there, by its owner in another region than the default, and by another account."""
    found = [raw("PUT", f"/{bucket}") for raw in (lab.raw, lab.running.raw(OTHER))]
    return [(reply.status, reply.code) for reply in found]


def deleted(lab: Lab, bucket: str) -> tuple[int, int, int]:
    """DELETE of the object, and the bucket, and whether that is there then."""
    return (
        lab.raw("DELETE", f"/{bucket}").status,
        lab.raw("HEAD", f"/{bucket}").status,
        lab.raw("HEAD", f"/{bucket}/key").status,
    )


def missing(lab: Lab, bucket: str) -> list[tuple[int, str]]:
    """Listings of a bucket that is not there."""
    found = [lab.raw("GET", f"/{bucket}-missing{query}") for query in ("", "?list-type=2")]
    return [(reply.status, reply.code) for reply in found]


def delete_key(lab: Lab, bucket: str) -> tuple[int, int]:
    """DELETE of the object, and of what is left of it."""
    return lab.raw("DELETE", f"/{bucket}/key").status, lab.raw("HEAD", f"/{bucket}/key").status


def delete_missing(lab: Lab, bucket: str) -> list[int]:
    return [lab.raw("DELETE", f"/{bucket}/{key}").status for key in ("key", "missing")]


def delete_both(lab: Lab, bucket: str) -> tuple[list[str], list[str]]:
    """DeleteObjects of a key, and of a version that is not one: keys deleted, and codes of errors."""
    document = (
        b"<Delete><Object><Key>key</Key></Object>"
        b"<Object><Key>other</Key><VersionId>no-version</VersionId></Object></Delete>"
    )
    reply = lab.raw("POST", f"/{bucket}?delete", document, md5_header(document))
    return sorted(reply.elements("Key")), reply.elements("Code")


def chunked(lab: Lab, bucket: str) -> tuple[str | None, bytes]:
    """Content-Encoding and data of an object that was sent in chunks and had a coding of its own."""
    headers = {"Content-Encoding": "aws-chunked,gzip", "x-amz-decoded-content-length": str(len(TEN))}
    body, keyword = unsigned_body(TEN, trailers=[]), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert lab.signed("PUT", f"/{bucket}/new", Signer(), body, headers, keyword).status == 200
    reply = lab.raw("GET", f"/{bucket}/new")
    return reply.headers.get("content-encoding"), reply.body


def etags(lab: Lab, bucket: str) -> tuple[bool, int]:
    """Whether the ETag of an upload is its MD5, and how many ETags its answers have."""
    found = [lab.raw("PUT", f"/{bucket}/new", TEN), lab.raw("HEAD", f"/{bucket}/new")]
    return found[0].headers["etag"] == f'"{hashlib.md5(TEN).hexdigest()}"', len({one.headers["etag"] for one in found})


def latest(lab: Lab, bucket: str) -> list[str]:
    """Of each version that is listed whether it is the latest, with a delete marker and another key."""
    assert lab.raw("PUT", f"/{bucket}/a", TEN).status == 200
    assert lab.raw("DELETE", f"/{bucket}/key").status == 204
    return lab.raw("GET", f"/{bucket}?versions").elements("IsLatest")


PROBES = {
    "any-bucket-name": Probe(named, (400, 404), (200, 200), empty),
    "aws-chunked-replayed": Probe(chunked, ("gzip", TEN), ("aws-chunked,gzip", TEN), empty),
    "delete-bucket-with-objects": Probe(deleted, (409, 200, 200), (204, 404, 404)),
    "delete-missing-404": Probe(delete_missing, [204, 204], [204, 404]),
    "delete-objects-all-deleted": Probe(
        delete_both, (["key", "other"], ["NoSuchVersion"]), (["key", "other"], []), keys("key", "other")
    ),
    "delete-says-204-but-keeps": Probe(delete_key, (204, 404), (204, 200)),
    "dot-segments-refused": but(put("a/.../b", "a/../b"), [200, 400], ["a/.../b"]),
    "etag-not-md5": Probe(etags, (True, 1), (False, 1), empty),
    "file-and-folder-conflict": but(put("a", "a/b"), [200, 409], ["a"]),
    "missing-bucket-lists-empty": Probe(missing, [(404, "NoSuchBucket")] * 2, [(200, "")] * 2, empty),
    "own-bucket-already-exists": Probe(
        created_again,
        [(200, ""), (409, "BucketAlreadyExists")],
        [(409, "BucketAlreadyExists"), (409, "BucketAlreadyExists")],
        empty,
    ),
    "slashes-collapsed": but(put("a/b", "a//c"), [200, 200], ["a/b", "a/c"]),
    "trailing-slash-dropped": but(put("a", "b/"), [200, 200], ["a", "b"]),
    "versions-oldest-first": Probe(
        latest, ["true", "true", "false", "false"], ["true", "false", "false", "true"], versioned
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_objects") == PROBES.keys()


def test_a_bucket_is_deleted_with_all_its_versions(lab: Lab) -> None:
    assert Probe(deleted, None, None, versioned).observe(lab, "delete-bucket-with-objects") == (204, 404, 404)


def test_an_object_that_is_kept_is_unchanged(lab: Lab) -> None:
    def ask(lab: Lab, bucket: str) -> str:
        lab.raw("DELETE", f"/{bucket}/key")
        return lab.raw("GET", f"/{bucket}/key").headers["etag"]

    assert Probe(ask, None, None, one).observe(lab, "delete-says-204-but-keeps") == ETAG
