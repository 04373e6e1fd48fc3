"""rclone's paging and its decoding of keys, with each version of the listing."""

from __future__ import annotations

from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import TREE, listing
from scenarios.workflows._rclone import printed, remote
from scenarios.workflows._steps import finished, sent, stored
from scenarios.workflows.rclone_list import folders

SPECIAL = ("a&b", "d+1/x y", "e%20f", "g é/h+i", "j=k?l", "m<n", "~o")
"""Keys and folders that a decoder can get wrong: a plus sign that becomes a blank, a percent sign decoded twice."""


def paged(s3: Scene, version: int) -> None:
    """A tree and its topmost folder, listed with two entries a page."""
    operation = "ListObjectsV2" if version == 2 else "ListObjects"
    top = listing(TREE, delimiter="/")
    for arguments, entries, names in (
        (("lsf", "-R"), len(TREE), [*TREE, *folders(TREE)]),
        (("lsf",), len(top), [*top.keys, *top.prefixes]),
    ):
        pages = ("--s3-list-version", str(version), "--s3-list-chunk", "2")
        run = s3.program(*arguments, *pages, remote(s3))
        finished(s3, run, operation, Prefix=s3.prefix)
        printed(s3, run, *names)
        asked, bound = len(sent(s3, run, operation)), (entries + 1) // 2 + 1
        s3.check(1 <= asked <= bound, f"at most {bound} requests for {entries} entries", f"it sent {asked}", run)


@scenario(
    "RCLONE-005",
    MUST,
    "ListObjectsV2",
    source="rclone documentation, --s3-list-version and --s3-list-chunk; measured with rclone 1.75.2",
    clients=("rclone",),
)
def pages_of_version_2(s3: Scene) -> None:
    """`rclone lsf --s3-list-version 2 --s3-list-chunk 2` shows everything once, page by page.

    S3 promises: NextContinuationToken leads to the entries behind the last one shown, until IsTruncated is false.

    Breaks: every folder of more than 1000 objects. rclone asks as long as it is told that there are more: with a
    token that leads back it never ends, with none it stops with an error.

    Fix: let the token stand for the last entry of the page; if that is a common prefix, for all keys below it.
    """
    stored(s3, {name: name.encode() for name in TREE})
    paged(s3, 2)


@scenario(
    "RCLONE-071",
    SHOULD,
    "ListObjects",
    source="rclone documentation, --s3-list-version and --s3-list-chunk; measured with rclone 1.75.2",
    clients=("rclone",),
)
def pages_of_version_1(s3: Scene) -> None:
    """`rclone lsf --s3-list-version 1 --s3-list-chunk 2` shows everything once, page by page.

    S3 promises: without a delimiter the marker of the next page is the last key; with one it is NextMarker.

    Breaks: rclone with provider Other, which lists by version 1 unless told otherwise; its users get incomplete or
    repeated folders, and a sync that deletes.

    Fix: offer ListObjects beside ListObjectsV2; take a marker that is a common prefix as behind all keys below it.
    Where there is no version 1, tell users of rclone to set list_version = 2.
    """
    stored(s3, {name: name.encode() for name in TREE})
    paged(s3, 1)


def decoded(s3: Scene, encode: bool) -> None:
    """Names with special characters: of a whole tree, and of its topmost folder with one entry a page.

    Pages are for listings with a delimiter alone. Without one there is no NextMarker, and rclone 1.75.2 then decodes
    the last key of an encoded page twice, since it takes that key for the marker.
    """
    stored(s3, {name: name.encode() for name in SPECIAL})
    top = listing(SPECIAL, delimiter="/")
    flag = f"--s3-list-url-encode={str(encode).lower()}"
    tree = s3.program("lsf", "-R", flag, remote(s3))
    printed(s3, tree, *SPECIAL, *folders(SPECIAL))
    folder = s3.program("lsf", flag, "--s3-list-chunk", "1", remote(s3))
    printed(s3, folder, *top.keys, *top.prefixes)
    for run in (tree, folder):  # rclone asks again the other way if it cannot read the plain document
        asked = {"encoding-type=url" in page.url for _, page in sent(s3, run, "ListObjects", "ListObjectsV2")}
        wanted = f"every listing asked for {'with' if encode else 'without'} encoding-type=url"
        s3.check(asked == {encode}, wanted, "some were asked for the other way", run)


@scenario(
    "RCLONE-006",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, --s3-list-url-encode; measured with rclone 1.75.2",
    clients=("rclone",),
)
def names_encoded(s3: Scene) -> None:
    """`rclone lsf --s3-list-url-encode=true` shows keys with blanks, plus and percent signs as they were stored.

    S3 promises: with encoding-type=url, keys, prefixes, common prefixes and markers come percent-encoded.

    Breaks: rclone decodes whatever comes: with an endpoint that ignores the parameter a plus sign turns into a
    blank, so that the file is not found, and copied anew by every sync.

    Fix: encode Key, Prefix, Delimiter, Marker, StartAfter and NextMarker alike, or refuse the parameter and tell
    users of rclone to set list_url_encode = false.
    """
    decoded(s3, True)


@scenario(
    "RCLONE-072",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, --s3-list-url-encode; measured with rclone 1.75.2",
    clients=("rclone",),
)
def names_plain(s3: Scene) -> None:
    """`rclone lsf --s3-list-url-encode=false` shows keys with blanks, ampersands and accents as they were stored.

    S3 promises: without encoding-type, keys stand in the document as they are, with XML's own escapes.

    Breaks: rclone with provider Other, whose default this is; a key that is encoded without being asked for is not
    found, and one with an ampersand that is not escaped makes the document unreadable. rclone then asks for the whole
    listing once more, encoded; other clients give up.

    Fix: percent-encode only where encoding-type=url was sent; escape &, < and > in XML always.
    """
    decoded(s3, False)
