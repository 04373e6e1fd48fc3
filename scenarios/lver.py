"""LVER: ListObjectVersions, its entries and their order."""

from __future__ import annotations

import re

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, if_shown, ok, output, prefixes, refused, root
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._versioned import versioned_bucket
from scenarios._versions import Version, folded, found, mixed, versions, write

HISTORY = ("b", "a", "b/1", "a", "-b", "b", "-b/1", "a", "c", "b/2")
"""Keys written again and deleted in between, mixed, so that no order of writing is the order of a listing."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", re.ASCII)


@scenario(
    "LVER-001",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers (recorded on AWS); Moto "
    "test_list_object_versions__sort_order (verified on AWS)",
    clients=CALLERS,
)
def newest_first(s3: Scene) -> None:
    """Versions come by key and within a key the newest first; exactly one entry of a key has IsLatest true.

    S3 promises: keys are in UTF-8 byte order. The versions of one key follow each other from the newest to the
    oldest, and the first of them, be it a delete marker, is the latest.

    Breaks: rclone's --s3-versions and --s3-version-at, and every script that prunes old versions, take the first
    entry of a key for its present state; in another order they restore, or delete, the wrong version.

    Fix: keep a number with each version that only grows, and sort by it downwards; two writes within one second
    have the same LastModified.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, HISTORY)
        s3.expect(s3.call("ListObjectVersions", Bucket=bucket), ok(), versions(entries))


@scenario(
    "LVER-002",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers (recorded on AWS)",
    clients=LIBRARIES,
)
def markers_on_the_first_page(s3: Scene) -> None:
    """The first page has KeyMarker and VersionIdMarker, both empty.

    S3 promises: the elements that repeat the markers of the request are always there; where the request had none
    they are empty. A page that had markers repeats them.

    Breaks: typed SDKs (Java, .NET) hand out null where their users expect an empty string; nothing else.

    Fix: print both elements always.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "b"))
        first = s3.call("ListObjectVersions", Bucket=bucket)
        s3.expect(first, ok(), versions(entries), output("KeyMarker", ""), output("VersionIdMarker", ""))
        markers = {"KeyMarker": "a", "VersionIdMarker": entries[0].id}
        second = s3.call("ListObjectVersions", Bucket=bucket, **markers)
        s3.expect(second, ok(), versions(entries[1:]), *(output(name, value) for name, value in markers.items()))


@scenario(
    "LVER-003",
    SHOULD,
    "ListObjectVersions",
    source="Moto test_list_object_versions_with_paging_and_delete_markers (verified on AWS); LocalStack "
    "test_list_objects_versions_markers (recorded on AWS)",
    clients=LIBRARIES,
)
def delete_markers_among_versions(s3: Scene) -> None:
    """Delete markers are DeleteMarker elements without ETag or Size, and stand and count among the versions.

    S3 promises: a delete marker takes the place in the order that its time gives it, between the versions of its key,
    and counts as one entry of the page. It has a key, an id, IsLatest and LastModified, and no ETag, Size or
    StorageClass.

    Breaks: clean-up jobs tell objects from markers by the element; a marker listed as a version of 0 bytes is
    restored as an empty file, and one that is missing can never be removed, so that the bucket cannot be either.

    Fix: keep markers in the same index as versions, and let the kind decide the element that is written.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "-a", "a", "-a", "b"))
        full = s3.call("ListObjectVersions", Bucket=bucket)
        s3.expect(full, ok(), versions(entries), _bare_markers(2), if_shown(mixed(entries)))
        page = s3.call("ListObjectVersions", Bucket=bucket, MaxKeys=3)
        s3.expect(page, ok(), versions(entries[:3]), output("IsTruncated", True))


@scenario(
    "LVER-007",
    SHOULD,
    "ListObjectVersions",
    source="Moto test_list_object_versions_with_delimiter (verified on AWS); LocalStack "
    "test_list_objects_versions_with_prefix (recorded on AWS)",
    clients=LIBRARIES,
)
def versions_fold(s3: Scene) -> None:
    """Prefix and delimiter group versions and delete markers alike.

    S3 promises: a key with the delimiter behind the prefix is not shown; its group is one common prefix, however
    many versions it hides, and also where all of them are deleted and only markers are the latest.

    Breaks: consoles and `rclone ls --s3-versions` browse old versions by folders; a folder that has only deleted
    objects would be invisible, and with it all that could be restored.

    Fix: fold by the key alone, before versions and markers are told apart.
    """
    with versioned_bucket(s3) as bucket:
        history = ("x/1", "x/1", "-x/1", "x", "y/2", "-y/2", "x/z/1", "-x/z/1", "xy", "z/1", "-z/1")
        entries = write(s3, bucket, history)
        for prefix in ("", "x/", "x"):
            shown, groups = folded(entries, prefix, "/")
            page = s3.call("ListObjectVersions", Bucket=bucket, Prefix=prefix, Delimiter="/")
            s3.expect(page, ok(), versions(shown), prefixes(groups), output("IsTruncated", False))


@scenario(
    "LVER-010",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_object_versions_order_unversioned (recorded on AWS)",
    clients=CALLERS,
)
def never_versioned(s3: Scene) -> None:
    """In a bucket that never had versioning each object is listed once, with version id null and IsLatest true.

    S3 promises: such a bucket is no error. Every object is its own latest version, and its id is the word null;
    an overwrite leaves no trace.

    Breaks: tools that empty buckets (the AWS console, Terraform's force_destroy, many scripts) list versions in every
    bucket, and delete by the ids they find: an empty id, or an error, leaves the bucket full.

    Fix: answer from the index of objects, with the id null.
    """
    bucket = s3.new_bucket()
    for key in ("b", "a", "a", "c/1"):
        s3.put(key, Bucket=bucket)
    s3.setup("DeleteObject", Bucket=bucket, Key="b")
    wanted = [Version(key, "null", latest=True) for key in ("a", "c/1")]
    s3.expect(s3.call("ListObjectVersions", Bucket=bucket), ok(), versions(wanted))


@scenario(
    "LVER-011",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_list_ops_encoding_type_validation (recorded on AWS); versitygw REST test "
    "ListObjectVersions, invalid encoding",
    clients=LIBRARIES,
)
def unknown_encoding_type(s3: Scene) -> None:
    """An unknown encoding-type is refused with 400 InvalidArgument.

    S3 promises: as in the listings of objects, url is the only value.

    Breaks: strict validation only: a client that asks for another encoding would decode names that have none.

    Fix: check the parameter in one place for all listings.
    """
    bucket = s3.new_bucket()
    s3.put("a b", Bucket=bucket)
    for value in ("value", "utf-8"):
        refusal = refused(400, "InvalidArgument")
        s3.expect(s3.call("ListObjectVersions", Bucket=bucket, EncodingType=value), refusal)
    encoded = s3.call("ListObjectVersions", Bucket=bucket, EncodingType="url")
    s3.expect(encoded, ok(), output("EncodingType", "url"))
    s3.expect(encoded, versions([Version("a+b", "null", latest=True)]))


@scenario(
    "LVER-012",
    EXTENDED,
    "ListObjectVersions",
    source="versitygw REST test ListObjectVersions, accidental query of versions on object",
    clients=("raw",),
)
def versions_of_an_object(s3: Scene) -> None:
    """?versions on the path of an object is refused with 400 InvalidRequest.

    S3 promises: only buckets list versions. A request for the versions of one key is told so; it neither reads the
    object nor lists the bucket.

    Breaks: programs that put the key into the path instead of the prefix get the object's bytes, parse them as a
    listing, and find no versions.

    Fix: refuse sub-resources that a level does not have, before the request is taken for a plain GET.
    """
    bucket = s3.new_bucket()
    s3.put("a", Bucket=bucket)
    wrong = s3.send("ListObjectVersions", "GET", f"/{bucket}/a?versions", bucket=bucket)
    s3.expect(wrong, refused(400, "InvalidRequest"))
    right = s3.send("ListObjectVersions", "GET", f"/{bucket}?versions&prefix=a", bucket=bucket)
    s3.expect(right, ok(), root("ListVersionsResult"), versions([Version("a", "null", latest=True)]))


@scenario(
    "LVER-013",
    SHOULD,
    "ListObjectVersions",
    source="LocalStack test_s3_list_object_versions_timestamp_precision (recorded on AWS)",
    clients=("raw",),
)
def time_format(s3: Scene) -> None:
    """LastModified of versions and delete markers is ISO 8601 in UTC with three zero decimals.

    S3 promises: the form is 2026-02-03T04:05:06.000Z for both kinds of entry; the decimals are zeros.

    Breaks: rclone's --s3-version-at and point-in-time restores compare these times with one another and with the
    Last-Modified of an object; decimals in one place alone put a version on the wrong side.

    Fix: print all listings through the same function, from times of whole seconds.
    """
    with versioned_bucket(s3) as bucket:
        entries = write(s3, bucket, ("a", "-a", "b"))
        page = s3.expect(s3.call("ListObjectVersions", Bucket=bucket), ok(), versions(entries))
        members = [*page.output.get("Versions", []), *page.output.get("DeleteMarkers", [])]
        wrong = [entry for entry in members if not _TIME.fullmatch(str(entry.get("LastModified")))]
        times = ", ".join(str(entry.get("LastModified")) for entry in wrong)
        s3.check(not wrong, "times like 2026-02-03T04:05:06.000Z", f"there were {times}", page)
        s3.expect(page, absent("CommonPrefixes"))


def _bare_markers(count: int) -> Matcher:
    """So many delete markers, none of which has what only an object has."""
    forbidden = ("ETag", "Size", "StorageClass")

    def test(seen: Observed) -> str:
        if "DeleteMarkers" not in seen.output and seen.partial:
            raise Inexpressible(f"{seen.client} does not show delete markers")
        markers = seen.output.get("DeleteMarkers", [])
        if seen.document is not None:
            dressed = [child.tag for node in seen.document.all("DeleteMarker") for child in node]
        else:
            dressed = [name for marker in markers for name in marker]
        extra = sorted(set(dressed) & set(forbidden))
        if extra:
            return f"they had {', '.join(extra)}"
        return "" if len(markers) == count else f"there were {len([v for v in found(seen) if v.marker])}"

    return Matcher(f"{count} delete markers without ETag, Size or StorageClass", test)
