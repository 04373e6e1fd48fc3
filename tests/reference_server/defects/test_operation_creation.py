"""Defects of buckets that are made, refused and deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.reference_server.catalogue.steps import put_document
from tests.reference_server.conftest import Running
from tests.reference_server.defects.probing import Lab, Probe, empty, names_in, versioned

TAGGED = b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>"


def created(document: bytes = b"", ending: str = "-new") -> Callable[[Lab, str], tuple[int, int]]:
    """Status of the creation of a bucket with this document, and of its HEAD."""

    def ask(lab: Lab, bucket: str) -> tuple[int, int]:
        status = lab.raw("PUT", f"/{bucket}{ending}", document).status
        return status, lab.raw("HEAD", f"/{bucket}{ending}").status

    return ask


def again(document: bytes = b"") -> Callable[[Lab, str], int]:
    """Status of the creation of a bucket that is there."""
    return lambda lab, bucket: lab.raw("PUT", f"/{bucket}", document).status


def tags(lab: Lab, bucket: str) -> list[str]:
    assert lab.raw("PUT", f"/{bucket}-tagged", TAGGED).status == 200
    return lab.raw("GET", f"/{bucket}-tagged?tagging").elements("Value")


def deleted(lab: Lab, bucket: str) -> list[int]:
    """DELETE of a bucket whose object is hidden by a delete marker, and HEAD."""
    assert lab.raw("DELETE", f"/{bucket}/key").status == 204
    return [lab.raw(method, f"/{bucket}").status for method in ("DELETE", "HEAD")]


def inherited(lab: Lab, bucket: str) -> list[str]:
    """Tags of a bucket that was deleted and made again."""
    document = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    assert put_document(lab.raw, f"/{bucket}?tagging", document).status == 204
    assert lab.raw("DELETE", f"/{bucket}").status == 204
    assert lab.raw("PUT", f"/{bucket}").status == 200
    return lab.raw("GET", f"/{bucket}?tagging").elements("Value")


def owned(lab: Lab, bucket: str) -> list[int]:
    """Status where the bucket is expected to be another account's, and that of no account."""
    asked = ({"x-amz-expected-bucket-owner": owner} for owner in ("000000000042", "nobody"))
    return [lab.raw("HEAD", f"/{bucket}", headers=headers).status for headers in asked]


LOCATED = "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>"

PROBES = {
    "any-location-accepted": Probe(created(LOCATED.format("mars").encode()), (400, 404), (200, 200), empty),
    "bucket-settings-survive": Probe(inherited, [], ["b"], empty),
    "creation-tags-ignored": Probe(tags, ["b"], [], empty),
    "delete-bucket-with-versions": Probe(deleted, [409, 200], [204, 404], versioned),
    "dotted-names-refused": Probe(created(ending=".dots"), (200, 200), (400, 404), empty),
    "expected-owner-ignored": Probe(owned, [403, 400], [200, 200], empty),
    "malformed-creation-accepted": Probe(created(b"<CreateBucket"), (400, 404), (200, 200), empty),
    "own-bucket-403": Probe(again(), 200, 403, empty),
    "own-bucket-405": Probe(again(), 200, 405, empty),
    "own-bucket-always-200": Probe(again(TAGGED), 409, 200, empty),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_creation") == PROBES.keys()


def test_present_objects_keep_the_bucket(lab: Lab) -> None:
    def ask(lab: Lab, bucket: str) -> int:
        return lab.raw("DELETE", f"/{bucket}").status

    assert Probe(ask, None, None, versioned).observe(lab, "delete-bucket-with-versions") == 409


def test_elsewhere_a_location_need_not_be_given(serve: Callable[..., Iterator[Running]]) -> None:
    for running in serve(region="eu-west-1"):
        raw = running.raw()
        assert raw("PUT", "/no-location").status == 400
        running.app.behave(["any-location-accepted"])
        assert raw("PUT", "/no-location").status == 200
