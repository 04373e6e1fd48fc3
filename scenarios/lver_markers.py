"""LVER: pages of ListObjectVersions."""

from __future__ import annotations

from collections.abc import Iterable

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import absent, ok, output, output_where, prefixes, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._versioned import versioned_bucket
from scenarios._versions import Version, found, versions, walk, write
from scenarios.lver import HISTORY


@scenario(
    "LVER-004",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers (recorded on AWS); Moto "
    "test_list_object_versions_with_paging (verified on AWS)",
    clients=LIBRARIES,
)
def pages_add_up(s3: Scene) -> None:
    """NextKeyMarker and NextVersionIdMarker come only when truncated, and together lead on without gap or repeat.

    S3 promises: a page that is not the last names the last entry it shows, by key and by id. Sent back, both start
    the next page right behind it, also in the middle of the versions of one key. The last page names nothing.

    Breaks: everything that empties a versioned bucket: boto3's `object_versions.delete()`, `aws s3api` loops,
    Terraform. A repeated page never ends, a lost version keeps the bucket from being deleted.

    Fix: seek behind the pair of key and version, not behind the key; look one entry ahead before saying that
    there is more.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, HISTORY)
        for size in (1, 4, len(entries)):
            pages = [step.page for step in walk(s3, len(entries), Bucket=bucket, MaxKeys=size)]
            at = 0
            for page in pages:
                count = len(found(page))
                s3.check(1 <= count <= size, f"1 to {size} entries on a page", f"there were {count}", page)
                s3.expect(page, versions(entries[at : at + count]))
                at += count
                _leads_on(s3, page, entries[at - 1] if at < len(entries) else None)
            s3.check(at == len(entries), f"{len(entries)} entries on all pages", f"there were {at}", pages[-1])


def _leads_on(s3: Scene, page: Observed, last: Version | None) -> None:
    """The page says that there is more, behind `last`, or that there is not."""
    if last is None:
        s3.expect(page, output("IsTruncated", False), absent("NextKeyMarker"), absent("NextVersionIdMarker"))
    else:
        s3.expect(page, output("IsTruncated", True), output("NextKeyMarker", last.key))
        s3.expect(page, output("NextVersionIdMarker", last.id))


@scenario(
    "LVER-005",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers (recorded on AWS); versitygw REST test ListObjectVersions, "
    "key-marker set to first key",
    clients=LIBRARIES,
)
def key_marker_alone(s3: Scene) -> None:
    """A key-marker without a version-id-marker skips all versions of that key.

    S3 promises: the page starts with the first key that is greater than the marker, whichever versions the marker's
    own key has; the marker need not be a key, and KeyMarker repeats it.

    Breaks: jobs that go through a bucket key by key (one page for each, then the next key) meet the rest of the old
    key again, and count or delete its versions twice.

    Fix: without an id, seek behind the last version of the key.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "a", "-a", "b", "b", "c"))
        for marker in ("a", "aa", "b", "c"):
            page = s3.call("ListObjectVersions", Bucket=bucket, KeyMarker=marker)
            s3.expect(page, ok(), versions(_behind(entries, marker)), output("KeyMarker", marker))


@scenario(
    "LVER-006",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers (recorded on AWS); versitygw REST test ListObjectVersions, "
    "version ID marker w/o key marker",
    clients=LIBRARIES,
)
def version_marker_alone(s3: Scene) -> None:
    """A version-id-marker without a key-marker is refused with 400 InvalidArgument, which names version-id-marker.

    S3 promises: a version is a position only within its key. Without the key the request is an error whose
    ArgumentName is version-id-marker.

    Breaks: scripts that keep only the id between pages: a store that ignores it starts from the beginning each
    time, and they go round for ever.

    Fix: refuse the one without the other before the listing starts.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "a"))
        refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "version-id-marker"})
        s3.expect(s3.call("ListObjectVersions", Bucket=bucket, VersionIdMarker=entries[0].id), refusal)
        both = s3.call("ListObjectVersions", Bucket=bucket, KeyMarker="a", VersionIdMarker=entries[0].id)
        s3.expect(both, ok(), versions(entries[1:]))


@scenario(
    "LVER-008",
    EXTENDED,
    "ListObjectVersions",
    source="LocalStack test_list_object_versions_pagination_common_prefixes (recorded on AWS)",
    clients=LIBRARIES,
)
def page_ends_in_a_prefix(s3: Scene) -> None:
    """A page of versions that ends in a common prefix has NextKeyMarker but no NextVersionIdMarker.

    S3 promises: a group has no version, so only the key marker leads on; with it the next page starts behind the
    whole group.

    Breaks: clients that send both markers back: an id made up for a prefix is refused, or compared with the versions
    of the next key, some of which are then missing.

    Fix: print NextVersionIdMarker only where the last entry of the page is a version.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "b/1", "b/1", "b/2", "-b/2", "c", "c"))
        asked = {"Bucket": bucket, "Delimiter": "/"}
        page = s3.call("ListObjectVersions", MaxKeys=2, **asked)
        s3.expect(page, ok(), versions(entries[:1]), prefixes(["b/"]), output("IsTruncated", True))
        s3.expect(page, output_where("NextKeyMarker", "where to go on", bool), absent("NextVersionIdMarker"))
        rest = s3.call("ListObjectVersions", KeyMarker=page.output["NextKeyMarker"], **asked)
        s3.expect(rest, ok(), versions(_behind(entries, "b/~")), prefixes([]))


@scenario(
    "LVER-009",
    EXTENDED,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_with_prefix_only_and_pagination (recorded on AWS)",
    clients=LIBRARIES,
)
def marker_of_a_deleted_version(s3: Scene) -> None:
    """A version-id-marker of a version that has been deleted since still leads on from its place.

    S3 promises: the id keeps its place in the order. The next page starts with the version that was older than it,
    although it is gone.

    Breaks: clean-up jobs delete each page before they ask for the next, so the version they go on from is never
    there any more. A store that must find it answers with an error, or skips the rest of the key.

    Fix: make the order readable from the id, or keep it with the id for a while.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "a", "a", "a", "b"))
        first = s3.call("ListObjectVersions", Bucket=bucket, MaxKeys=2)
        s3.expect(first, ok(), versions(entries[:2]), output("NextVersionIdMarker", entries[1].id))
        for entry in entries[:2]:
            s3.setup("DeleteObject", Bucket=bucket, Key=entry.key, VersionId=entry.id)
        rest = [entries[2]._replace(latest=True), *entries[3:]]
        page = s3.call("ListObjectVersions", Bucket=bucket, KeyMarker="a", VersionIdMarker=entries[1].id)
        s3.expect(page, ok(), versions(rest))


def _behind(entries: Iterable[Version], key: str) -> list[Version]:
    return [entry for entry in entries if entry.key.encode() > key.encode()]
