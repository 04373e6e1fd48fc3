"""LST1: delimiters and markers of ListObjects, beyond what every page needs."""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import absent, keys, ok, one_of, output, output_where, prefixes
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import TREE, listing, plant


@scenario(
    "LST1-005",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS)",
    clients=LIBRARIES,
)
def empty_delimiter(s3: Scene) -> None:
    """An empty delimiter is as if it were absent, and is not echoed.

    S3 promises: `delimiter=` without a value folds nothing: every key is shown, there are no CommonPrefixes, and the
    answer has no Delimiter element, not even an empty one.

    Breaks: programs with one code for folders and for the whole tree pass an empty string for "no folders"; where
    that folds, or is an error, they see one empty folder instead of their files.

    Fix: ask whether the delimiter has characters, not whether the parameter was sent.
    """
    planted = plant(s3, ("a", "b/1", "b/2", "c"))
    for asked in ({"Delimiter": ""}, {}):
        page = s3.call("ListObjects", Prefix=s3.prefix, **asked)
        s3.expect(page, ok(), *listing(planted, s3.prefix).shown(), absent("Delimiter"))


@scenario(
    "LST1-006",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS)",
    clients=LIBRARIES,
)
def delimiter_decoded_once(s3: Scene) -> None:
    """The delimiter is decoded once: %2F in the URL is "/", and %252F is the three characters "%2F".

    S3 promises: a delimiter that clients send as %2F splits at slashes. One sent as %252F is the text "%2F": it
    splits where the key has those three characters, not at slashes, and with encoding-type=url it is echoed as
    "%252F".

    Breaks: stores of already encoded names (web archives, crawlers) list folders that do not exist, and miss those
    that do. It is the same mistake that makes keys with a percent sign unreachable.

    Fix: decode the query string in one place, once; do not unquote values that a framework has unquoted.
    """
    planted = plant(s3, ("a/b", "a/c", "d%2Fe", "d%2Ff", "g"))
    for delimiter in ("/", "%2F"):
        page = s3.call("ListObjects", Prefix=s3.prefix, Delimiter=delimiter)
        expected = listing(planted, s3.prefix, delimiter)
        s3.expect(page, ok(), *expected.shown(), output("Delimiter", delimiter))
    encoded = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="%2F", EncodingType="url")
    s3.expect(encoded, ok(), output("Delimiter", "%252F"))


@scenario(
    "LST1-010",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_next_marker (recorded on AWS); versitygw REST list objects v1, no NextMarker "
    "without delimiter",
    clients=LIBRARIES,
)
def when_next_marker_comes(s3: Scene) -> None:
    """NextMarker comes on every truncated page that has a delimiter, and never on a last page.

    S3 promises: with a delimiter a truncated page names where to go on, since its last entry may be a common prefix.
    Without one the last key serves, and S3 leaves NextMarker out; that it is there all the same harms nobody and is
    accepted, provided that it is that last key.

    Breaks: where it is missing with a delimiter, boto3's paginator and s3cmd go on behind the last key they saw, and
    list the folders behind it again; where it stands on the last page, loops that look only at it ask once more.

    Fix: print NextMarker when IsTruncated is true and the request had a delimiter.
    """
    planted = plant(s3, TREE)
    plain, folded = listing(planted, s3.prefix), listing(planted, s3.prefix, "/")
    page = s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=3)
    s3.expect(page, ok(), *plain.first(3).shown(), output("IsTruncated", True))
    s3.expect(page, one_of(absent("NextMarker"), output("NextMarker", plain.first(3).keys[-1])))
    s3.note(f"NextMarker without a delimiter: {'shown' if 'NextMarker' in page.output else 'left out'}")
    page = s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=3, Delimiter="/")
    s3.expect(page, ok(), *folded.first(3).shown(), output("IsTruncated", True))
    s3.expect(page, output_where("NextMarker", "where to go on", bool))
    page = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="/")
    s3.expect(page, ok(), *folded.shown(), output("IsTruncated", False), absent("NextMarker"))


@scenario(
    "LST1-011",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_marker_common_prefixes (recorded on AWS)",
    clients=LIBRARIES,
)
def next_marker_is_a_prefix(s3: Scene) -> None:
    """A marker that is a common prefix, as NextMarker may be, starts the next page behind the entire group.

    S3 promises: where a page ends with a common prefix, its NextMarker leads behind all keys of that group. Sent as
    marker, the prefix itself does so too, although every key of the group sorts behind it.

    Breaks: boto3's paginator, s3cmd and `aws s3 ls` hand the value back as it came. A store that compares it with
    keys alone shows the same folder on every page, and a listing with max-keys=1 never ends.

    Fix: fold the marker as a key would be, and when it falls into a group seek to the first key behind the group.
    """
    planted = plant(s3, ("a", "b/1", "b/2", "b/3", "c", "d/1"))
    full = listing(planted, s3.prefix, "/")
    page = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="/", MaxKeys=2)
    s3.expect(page, ok(), *full.first(2).shown(), output_where("NextMarker", "where to go on", bool))
    s3.note(f"NextMarker was {'the prefix' if page.output['NextMarker'] == s3.key('b/') else 'something else'}")
    for marker in (page.output["NextMarker"], s3.key("b/")):
        following = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="/", Marker=marker)
        s3.expect(following, ok(), keys([s3.key("c")]), prefixes([s3.key("d/")]), output("Marker", marker))


@scenario(
    "LST1-012",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_marker_common_prefixes (recorded on AWS)",
    clients=LIBRARIES,
)
def marker_inside_a_group(s3: Scene) -> None:
    """With a delimiter, a marker that is a key inside a group skips that group.

    S3 promises: a marker of "b/1" with the delimiter "/" continues behind "b/", although "b/2" is greater than the
    marker. Without a delimiter the same marker continues with "b/2".

    Breaks: clients that remember the last key they read below a folder and go on from there see the folder once
    more, and count or copy it twice.

    Fix: drop every entry, folded or not, that is not greater than the marker folded in the same way.
    """
    planted = plant(s3, ("a", "b/1", "b/2", "b/3", "c", "d/1"))
    marker = s3.key("b/1")
    folded = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="/", Marker=marker)
    s3.expect(folded, ok(), keys([s3.key("c")]), prefixes([s3.key("d/")]))
    plain = s3.call("ListObjects", Prefix=s3.prefix, Marker=marker)
    s3.expect(plain, ok(), *listing(planted, s3.prefix, after=marker).shown())
