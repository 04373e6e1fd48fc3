"""LST1: ListObjects, version 1."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import re
from typing import Any

from harness.expect import absent, header_where, keys, ok, output
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios._listing import ALPHABET, TREE, every_entry, listing, members, plant, sizes


@scenario(
    "LST1-001",
    MUST,
    "ListObjects",
    source="LocalStack test_s3_list_objects_empty_marker (recorded on AWS); botocore service model",
)
def empty_bucket(s3: Scene) -> None:
    """An empty bucket lists as success without Contents, not truncated, MaxKeys 1000, empty Prefix and Marker.

    S3 promises: a bucket without objects is not an error. The answer has no Contents and no CommonPrefixes,
    IsTruncated is false, MaxKeys shows the default of 1000, and Prefix and Marker are there although empty.

    Breaks: `aws s3 rb` and rclone's purge list a bucket before they remove it; a 404 or a page that says it is
    truncated stops them. s3cmd and older SDKs read Marker and Prefix without asking whether they are there.

    Fix: print the document with its scalars always, and leave out only the lists. Print an unset Prefix or Marker
    as an empty element.
    """
    page = s3.call("ListObjects", Bucket=s3.new_bucket())
    s3.expect(page, ok(), absent("Contents"), absent("CommonPrefixes"), output("IsTruncated", False))
    s3.expect(page, output("MaxKeys", 1000), output("Prefix", ""), output("Marker", ""))


@scenario(
    "LST1-002",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_next_marker and test_s3_uppercase_key_names (recorded on AWS)",
)
def byte_order(s3: Scene) -> None:
    """Keys come in ascending order of their UTF-8 bytes.

    S3 promises: keys are compared byte by byte. test_10 is before test_2, every upper-case letter before every
    lower-case one, "/" between "." and "0", and characters beyond U+FFFF after all others. Pages keep that order.

    Breaks: `aws s3 sync` walks the local tree and the listing side by side and copies or deletes the wrong files
    when the two are in different order; a marker then skips keys for good, in every client that pages.

    Fix: sort by the bytes of the whole key. A walk through directories, a database collation or the string order
    of Java and JavaScript (UTF-16) each give another order.
    """
    expected = listing(plant(s3, ALPHABET), s3.prefix)
    s3.expect(s3.call("ListObjects", Prefix=s3.prefix), ok(), *expected.shown())
    s3.expect(s3.list_all(1, Prefix=s3.prefix, MaxKeys=3), ok(), *expected.shown())


@scenario(
    "LST1-003",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS)",
)
def prefix_filters(s3: Scene) -> None:
    """A prefix returns exactly the keys that start with it, and is echoed.

    S3 promises: prefix is a plain comparison with the start of the key. It may end inside a name, equal a key, or
    match nothing, and letter case counts. Prefix shows what was asked for.

    Breaks: rclone, `aws s3 ls` and restic address every folder by prefix; a store that takes it for a directory
    loses the keys of a prefix that ends inside a name, and one that ignores it makes a sync delete its neighbours.

    Fix: seek to the prefix in key order and stop at the first key that does not start with it.
    """
    planted = plant(s3, ("Log/3", "log", "log-1", "log.d/1", "log.d/2", "loh"))
    for name in ("log", "log.d/") if s3.costly else ("log", "log.d/", "log.", "lo", "log.d/2", "Log", "logs"):
        prefix = s3.key(name)
        page = s3.expect(s3.call("ListObjects", Prefix=prefix), ok(), *listing(planted, prefix).shown())
        s3.expect(page, output("Prefix", prefix), output("IsTruncated", False))


@scenario(
    "LST1-004",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS)",
)
def delimiter_rolls_up(s3: Scene) -> None:
    """A delimiter rolls keys up into common prefixes, each ending in the delimiter and listed once.

    S3 promises: keys with the delimiter behind the prefix are not shown; what they start with, up to and with the
    first delimiter, is shown once in CommonPrefixes, over all pages together, even where a page ends inside the
    group.

    Breaks: folders are nothing else. A common prefix that comes again on the next page makes rclone list the
    folder twice and complain of duplicates, and a client that follows it as marker never ends.

    Fix: when a page ends with a common prefix, go on behind the last key that starts with it, not behind the key
    that was read last.
    """
    planted = plant(s3, TREE)
    top = listing(planted, s3.prefix, "/")
    for size in sizes(s3, len(top)):
        listed = s3.list_all(1, Prefix=s3.prefix, Delimiter="/", MaxKeys=size)
        s3.expect(listed, ok(), *top.shown())
    below = s3.key("c/")
    s3.expect(s3.list_all(1, Prefix=below, Delimiter="/"), ok(), *listing(planted, below, "/").shown())


@scenario(
    "LST1-007",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_marker_common_prefixes (recorded on AWS)",
)
def max_keys_counts_both(s3: Scene) -> None:
    """The max-keys limit counts keys and common prefixes together, a prefix with all its keys as one.

    S3 promises: a page of n has at most n entries, whichever of the two kinds they are; it may be shorter, never
    empty while something is missing. IsTruncated is true as long as an entry is missing, and false on the page that
    ends with the last one, however many keys hide behind it.

    Breaks: clients with a page buffer of fixed size overflow or lose entries; an IsTruncated that stays true costs
    s3cmd and rclone another request, and where that comes back empty some never end.

    Fix: count what goes into the answer, not the keys that were read, and look one entry ahead, beyond the whole
    group, before saying that there is more.
    """
    full = listing(plant(s3, TREE), s3.prefix, "/")
    for size in sizes(s3, len(full)):
        page = s3.call("ListObjects", Prefix=s3.prefix, Delimiter="/", MaxKeys=size)
        count = len(page.keys) + len(page.prefixes)
        s3.expect(page, ok(), output("MaxKeys", size))
        s3.check(1 <= count <= size, f"1 to {size} entries on a page of {size}", f"there were {count}", page)
        s3.expect(page, *full.first(count).shown(), output("IsTruncated", count < len(full)))


@scenario(
    "LST1-008",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_next_marker (recorded on AWS)",
)
def marker_is_exclusive(s3: Scene) -> None:
    """The listing starts behind the marker, which need not be a key, and the marker is echoed.

    S3 promises: marker is a position in the order of keys. The page starts with the first key that is greater;
    the marker itself is never shown. Whether such a key exists does not matter, and Marker repeats what was sent.

    Breaks: without a delimiter clients page by the last key they saw, since no NextMarker comes. If the marker is
    shown again s3cmd and rclone list it twice, or for ever; if it must exist, they stop when it is deleted
    meanwhile.

    Fix: seek to the first key greater than the marker, by bytes. Do not look the marker up.
    """
    planted = plant(s3, ("a", "b/1", "b/2", "c", "é"))
    markers = ("b/1", "bb") if s3.costly else ("a", "b", "b/1", "b/11", "bb", "c", "d", "é", "ê", "A")
    for marker in map(s3.key, markers):
        expected = listing(planted, s3.prefix, after=marker)
        page = s3.call("ListObjects", Prefix=s3.prefix, Marker=marker)
        s3.expect(page, ok(), *expected.shown(), output("Marker", marker), output("IsTruncated", False))


@scenario(
    "LST1-009",
    MUST,
    "ListObjects",
    source="LocalStack test_s3_list_objects_empty_marker (recorded on AWS)",
)
def empty_marker(s3: Scene) -> None:
    """An empty marker is as if it were absent.

    S3 promises: `marker=` without a value starts the listing at its beginning. It is neither an error nor a
    position behind anything, and Marker is shown empty.

    Breaks: clients that page in a loop send the marker on the first request too, before there is one: s3cmd and
    many scripts that start with an empty string.

    Fix: treat a query parameter without a value as not given, for marker as for prefix and delimiter.
    """
    expected = listing(plant(s3, TREE), s3.prefix)
    page = s3.expect(s3.call("ListObjects", Prefix=s3.prefix, Marker=""), ok(), *expected.shown())
    s3.expect(page, output("Marker", ""), output("IsTruncated", False))


@scenario(
    "LST1-021",
    MUST,
    "ListObjects",
    source="LocalStack test_s3_list_objects_timestamp_precision (recorded on AWS)",
    clients=("raw",),
)
def last_modified_format(s3: Scene) -> None:
    """LastModified in a listing is ISO 8601 in UTC with three zero decimals, 24 characters.

    S3 promises: the form is 2026-02-03T04:05:06.000Z. S3 keeps whole seconds, so the decimals are zeros, and the
    instant is the one that HeadObject shows in Last-Modified.

    Breaks: `aws s3 sync` and rclone compare it with the time of a local file. More decimals than HeadObject shows
    make one object look newer in a listing than by itself, a missing Z moves it by the time zone, and strict
    parsers (Java's SDK of old, many shell scripts) refuse any other form.

    Fix: cut the time to seconds when the object is stored, and print listing and header from the same value.
    """
    planted = plant(s3, ("a", "b"))
    zeros = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", re.ASCII)
    page = s3.expect(s3.call("ListObjects", Prefix=s3.prefix), ok(), keys(planted))
    form = every_entry("LastModified", "like 2026-02-03T04:05:06.000Z", lambda value: _matches(zeros, value))
    s3.expect(page, form)
    for entry in page.output["Contents"]:
        instant = dt.datetime.fromisoformat(entry["LastModified"])
        same = header_where("Last-Modified", f"the instant {entry['LastModified']}", _is_instant(instant))
        s3.expect(s3.look("HeadObject", Key=entry["Key"]), ok(), same)


@scenario(
    "LST1-022",
    MUST,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS); botocore service model",
)
def entry_members(s3: Scene) -> None:
    """Each entry has Key, LastModified, ETag, Size and StorageClass, which is spelled out as STANDARD.

    S3 promises: a listing says of every object what a sync needs: its name, time, quoted ETag, size in bytes
    (0 for an empty one) and storage class. STANDARD, which HeadObject leaves out, is written here.

    Breaks: without Size or LastModified `aws s3 sync` and rclone copy everything again, or fail; without ETag
    rclone has no MD5 to compare; s3cmd and several backup tools read StorageClass of every entry.

    Fix: print all five for every entry, also for empty objects and for those stored without a storage class.
    """
    bodies = {s3.key("empty"): b"", s3.key("one"): b"1", s3.key("text"): b"s3conform " * 100}
    for key, body in bodies.items():
        s3.put(key, body)
    page = s3.expect(s3.call("ListObjects", Prefix=s3.prefix), ok(), keys(sorted(bodies)))
    contents = [bodies[key] for key in sorted(bodies)]
    s3.expect(
        page,
        members("Size", map(len, contents)),
        members("ETag", (f'"{hashlib.md5(body).hexdigest()}"' for body in contents)),
        members("StorageClass", ["STANDARD"] * len(contents)),
        every_entry("LastModified", "a time", bool),
    )


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _is_instant(instant: dt.datetime) -> Any:
    def test(value: str) -> bool:
        try:
            return email.utils.parsedate_to_datetime(value) == instant
        except ValueError:
            return False

    return test
