"""LMU: markers of ListMultipartUploads."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.expect import absent, ok, output, prefixes, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._uploads import Upload, identified, start, uploads

NAMES = ("a", "b", "b", "b", "c")


def by_page(s3: Scene) -> list[Upload]:
    """Uploads of NAMES in the order in which the endpoint lists them.

    Which of several uploads of one key comes first within a second is LMU-001's question, not that of markers.
    """
    begun = start(s3, NAMES)
    seen = s3.expect(s3.look("ListMultipartUploads", Prefix=s3.prefix), ok())
    found = identified(seen)
    whole = sorted(found) == sorted(begun) and [key for key, _ in found] == [s3.key(name) for name in NAMES]
    s3.check(whole, f"the five uploads of {NAMES}", f"they were {found}", seen)
    return found


@scenario(
    "LMU-003",
    SHOULD,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS); versitygw REST ListMultipartUploads, "
    "NextKeyMarker and NextUploadIdMarker set to last item (kept for AWS only)",
    clients=LIBRARIES,
)
def next_markers(s3: Scene) -> None:
    """NextKeyMarker and NextUploadIdMarker name the last upload shown, truncated or not; else they are empty.

    S3 promises: both elements are always there. They hold key and id of the last Upload on the page, also on the
    last page, and are empty where no upload is shown.

    Breaks: programs that watch a bucket for new uploads go on from these markers; missing elements are null
    references in typed SDKs, and paginators that trust them start again at the beginning.

    Fix: print the pair from the last entry on every page, and empty elements for an empty page.
    """
    found = by_page(s3)
    for page, last in (
        (s3.call("ListMultipartUploads", Prefix=s3.prefix, MaxUploads=2), found[1]),
        (s3.call("ListMultipartUploads", Prefix=s3.prefix), found[-1]),
        (s3.call("ListMultipartUploads", Prefix=s3.key("none/")), ("", "")),
    ):
        s3.expect(page, ok(), output("NextKeyMarker", last[0]), output("NextUploadIdMarker", last[1]))


@scenario(
    "LMU-004",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS)",
    clients=CALLERS,
)
def key_marker_alone(s3: Scene) -> None:
    """A key-marker alone starts the listing behind all uploads of that key, which need not exist.

    S3 promises: only keys greater than the marker are listed. All uploads of the marker's own key are skipped, and
    KeyMarker echoes it.

    Breaks: clean-up tools that go through a bucket key by key; an inclusive marker gives them the same uploads
    again, and a tool without a guard never ends.

    Fix: without upload-id-marker seek to the first key that is greater than the marker.
    """
    found = by_page(s3)
    for marker, expected in (("b", found[4:]), ("ab", found[1:])):
        page = s3.call("ListMultipartUploads", Prefix=s3.prefix, KeyMarker=s3.key(marker))
        s3.expect(page, ok(), uploads(expected), output("KeyMarker", s3.key(marker)))


@scenario(
    "LMU-005",
    MUST,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS)",
    clients=CALLERS,
)
def both_markers(s3: Scene) -> None:
    """A key-marker with an upload-id-marker goes on behind that upload of the key, so that pages lose none.

    S3 promises: the two markers together name one upload, and the listing continues with the next one of the same
    key before it goes on to the next key. Following the markers of each page shows every upload once.

    Breaks: every client's paginator sends both (boto3, the AWS CLI, rclone cleanup). Where the id is ignored, a key
    with several uploads loses the rest of them at each page boundary, and they are never cleaned up.

    Fix: seek to the pair (key, place of that upload), not to the key alone.
    """
    found = by_page(s3)
    for place in (1, 2) if s3.costly else range(len(found)):
        key, upload_id = found[place]
        page = s3.call("ListMultipartUploads", Prefix=s3.prefix, KeyMarker=key, UploadIdMarker=upload_id, MaxUploads=2)
        s3.expect(page, ok(), uploads(found[place + 1 : place + 3]))
        s3.expect(page, output("KeyMarker", key), output("UploadIdMarker", upload_id))


@scenario(
    "LMU-006",
    SHOULD,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS); versitygw REST ListMultipartUploads, "
    "uploadId without key should be ignored (kept for AWS only)",
    clients=LIBRARIES,
)
def lone_upload_id_marker(s3: Scene) -> None:
    """An upload-id-marker without a key-marker is ignored: the listing starts at the beginning.

    S3 promises: the id means something only beside a key. Alone it neither skips anything nor is an error, whatever
    its text is.

    Breaks: programs that keep the id only, and generic paginators that send whatever they have; with an error
    they stop, and with a skip they lose uploads.

    Fix: read upload-id-marker only when key-marker is there and not empty.
    """
    found = by_page(s3)
    for marker in (found[3][1], "s3conform-no-such-upload"):
        page = s3.call("ListMultipartUploads", Prefix=s3.prefix, UploadIdMarker=marker)
        s3.expect(page, ok(), uploads(found))


@scenario(
    "LMU-007",
    SHOULD,
    "ListMultipartUploads",
    source="LocalStack test_list_multiparts_next_marker (recorded on AWS)",
    clients=LIBRARIES,
)
def markers_that_do_not_match(s3: Scene) -> None:
    """An upload-id-marker that is no upload of the key-marker is refused with 400 InvalidArgument that names it.

    S3 promises: the pair has to name an upload. The error says upload-id-marker in ArgumentName.

    Breaks: strict validation; a paginator that mixes the markers of two pages is told so, instead of listing from
    a place that nobody asked for.

    Fix: look the id up together with the key when both are sent, and refuse when there is no such upload.
    """
    found = by_page(s3)
    fields = {"ArgumentName": "upload-id-marker"}
    for key, upload_id in ((found[0][0], found[4][1]), (found[0][0], "s3conform-no-such-upload")):
        page = s3.call("ListMultipartUploads", Prefix=s3.prefix, KeyMarker=key, UploadIdMarker=upload_id)
        s3.expect(page, refused(400, "InvalidArgument", fields=fields))
    key, upload_id = found[0]
    page = s3.call("ListMultipartUploads", Prefix=s3.prefix, KeyMarker=key, UploadIdMarker=upload_id)
    s3.expect(page, ok(), uploads(found[1:]))


@scenario(
    "LMU-010",
    EXTENDED,
    "ListMultipartUploads",
    source="LocalStack test_list_multipart_uploads_marker_common_prefixes (recorded on AWS)",
    clients=LIBRARIES,
)
def page_that_ends_in_prefix(s3: Scene) -> None:
    """A truncated page that ends in a common prefix has empty NextKeyMarker and NextUploadIdMarker.

    S3 promises: the markers name the last upload shown, and a common prefix is none, although IsTruncated is true.
    The client goes on with the common prefix itself as key-marker.

    Breaks: strict fidelity; clients written against S3 take a marker that is there for an upload and look for it.

    Fix: print empty elements when the last item of the page is a common prefix.
    """
    begun = start(s3, ("a/1", "a/2", "b"))
    page = s3.call("ListMultipartUploads", Prefix=s3.prefix, Delimiter="/", MaxUploads=1)
    s3.expect(page, ok(), absent("Uploads"), prefixes([s3.key("a/")]), output("IsTruncated", True))
    s3.expect(page, output("NextKeyMarker", ""), output("NextUploadIdMarker", ""))
    rest = s3.call("ListMultipartUploads", Prefix=s3.prefix, Delimiter="/", KeyMarker=s3.key("a/"))
    s3.expect(rest, ok(), uploads(begun[2:]), prefixes([]))


@scenario(
    "LMU-011",
    EXTENDED,
    "ListMultipartUploads",
    source="LocalStack test_list_multipart_uploads_marker_common_prefixes (recorded on AWS)",
    clients=LIBRARIES,
)
def marker_within_prefix(s3: Scene) -> None:
    """A key-marker that is a common prefix, or a key inside it, skips the whole group.

    S3 promises: with a delimiter the items are uploads and common prefixes. A marker that falls into a group stands
    for the group, so that it is not shown again, although keys of it are greater than the marker.

    Breaks: browsers of unfinished uploads that page through folders show a folder twice, or loop on it.

    Fix: fold the marker as the keys are folded, and seek behind the group.
    """
    begun = start(s3, ("a/1", "a/2", "a/3", "b/1", "c"))
    for marker in ("a/", "a/1", "a/2"):
        page = s3.call("ListMultipartUploads", Prefix=s3.prefix, Delimiter="/", KeyMarker=s3.key(marker))
        s3.expect(page, ok(), uploads(begun[4:]), prefixes([s3.key("b/")]))
    before = s3.call("ListMultipartUploads", Prefix=s3.prefix, Delimiter="/", KeyMarker=s3.key("A"))
    s3.expect(before, ok(), uploads(begun[4:]), prefixes([s3.key("a/"), s3.key("b/")]))
