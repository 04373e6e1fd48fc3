"""LST1: parameters of ListObjects that are odd or wrong, and what else an answer carries."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote_plus

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, header_where, keys, ok, output, prefixes, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import every_entry, listing, ordered, plant

NAMES = ("a b", "a%20b", "a+b", "a=b", "a&b", "é", "中/1", "中/2")
"""What a percent-encoding changes, or what decoding without need does."""

_ENCODED = re.compile(r"(?:[A-Za-z0-9._~*/+-]|%[0-9A-Fa-f]{2})*")


@scenario(
    "LST1-015",
    SHOULD,
    "ListObjects",
    source="ceph/s3-tests test_bucket_list_maxkeys_zero",
    clients=CALLERS,
    confidence="secondary",
)
def no_keys_wanted(s3: Scene) -> None:
    """ListObjects with max-keys=0 succeeds, has no entries, and says that it is not truncated.

    S3 promises: 200, neither Contents nor CommonPrefixes, IsTruncated false, although the bucket has keys.

    Breaks: checks whether a listing is allowed ask for nothing; a page of a thousand keys is a slow answer to that,
    and an empty page that is truncated has no key to go on from, so that loops over pages never end.

    Fix: handle 0 before the default applies; in many languages 0 and "not given" are the same to an `or`.
    """
    planted = plant(s3, ("a", "b/1"))
    page = s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=0)
    s3.expect(page, ok(), keys([]), prefixes([]), output("IsTruncated", False))
    s3.expect(s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=2), ok(), keys(planted))


@scenario(
    "LST1-016",
    SHOULD,
    "ListObjects",
    source="ceph/s3-tests test_bucket_list_maxkeys_invalid",
    clients=("raw",),
    confidence="secondary",
)
def max_keys_is_a_number(s3: Scene) -> None:
    """A max-keys that is not a number is refused with 400 InvalidArgument.

    S3 promises: text, or a number with a fraction, is an error of the argument. It is not read as a default.

    Breaks: strict validation only; SDKs check the type themselves. A shell script with a variable that was never
    set gets a whole page, and its author never hears of it.

    Fix: parse strictly, and answer InvalidArgument, not an internal error, for what is no integer.
    """
    planted = plant(s3, ("a", "b"))
    for value in ("blah", "1.5", "1 2"):
        s3.expect(s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=value), refused(400, "InvalidArgument"))
    s3.expect(s3.call("ListObjects", Prefix=s3.prefix, MaxKeys="1"), ok(), keys(planted[:1]))


@scenario(
    "LST1-017",
    SHOULD,
    "ListObjects",
    source="versitygw REST test ListObjects, encoding success",
    clients=LIBRARIES,
)
def names_encoded_on_request(s3: Scene) -> None:
    """With encoding-type=url, keys, prefixes, markers and the delimiter are percent-encoded, and EncodingType says so.

    S3 promises: EncodingType is url, and every name in the answer (Key, CommonPrefixes, Prefix, Marker, NextMarker,
    Delimiter) is encoded; decoded once, each is the name that was stored or sent.

    Breaks: boto3, the AWS CLI, rclone and Hadoop ask for this encoding on every listing, since XML cannot carry all
    characters. They decode everything once EncodingType is there: a name left as it was loses its plus and percent
    signs, and a marker that was left out leads nowhere.

    Fix: encode all the members named, after sorting and folding, and print EncodingType.
    """
    planted = plant(s3, NAMES)
    prefix, marker = s3.key(""), s3.key("a&b")
    asked: dict[str, Any] = {"Prefix": prefix, "Delimiter": "中/", "EncodingType": "url"}
    full = listing(planted, prefix, "中/", after=marker)
    page = s3.expect(s3.call("ListObjects", Marker=marker, **asked), ok(), output("EncodingType", "url"))
    echoes = {"Prefix": prefix, "Marker": marker, "Delimiter": "中/"}
    s3.expect(page, _decoding_to("Key", full.keys), _decoding_to("CommonPrefixes", full.prefixes))
    s3.expect(page, *(_decoding_to(member, [value]) for member, value in echoes.items()))
    last = ordered(planted)[0]
    cut = s3.call("ListObjects", MaxKeys=1, **asked)
    s3.expect(cut, ok(), _decoding_to("Key", [last]), _decoding_to("NextMarker", [last]))
    plain = s3.call("ListObjects", Prefix=s3.key("a="))
    s3.expect(plain, ok(), keys([s3.key("a=b")]))


@scenario(
    "LST1-018",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_ops_encoding_type_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def unknown_encoding_type(s3: Scene) -> None:
    """An encoding-type that is unknown or empty is refused with 400 InvalidArgument, which names encoding-type.

    S3 promises: url is the only value. Any other, and none at all (`encoding-type=`), is an error whose ArgumentName
    is encoding-type.

    Breaks: strict validation only. A client that misspells the value and is answered in plain text decodes names
    that were never encoded.

    Fix: compare with "url" exactly wherever encoding-type is accepted, and put the name into ArgumentName.
    """
    planted = plant(s3, ("a b",))
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "encoding-type"})
    for value in ("value", "", "utf-8"):
        s3.expect(s3.call("ListObjects", Prefix=s3.prefix, EncodingType=value), refusal)
    listed = s3.call("ListObjects", Prefix=s3.prefix, EncodingType="url")
    s3.expect(listed, ok(), _decoding_to("Key", planted))


@scenario(
    "LST1-019",
    EXTENDED,
    "ListObjects",
    source="versitygw REST test ListObjectsV1, start-after, error",
    clients=("raw",),
)
def start_after_needs_version_2(s3: Scene) -> None:
    """start-after without list-type=2 is refused with 400 InvalidArgument.

    S3 promises: start-after belongs to version 2 of the listing. A version 1 request that has it is an error, not
    a listing from the beginning.

    Breaks: hand-made clients that forget list-type=2: they believe that they resume, and handle every key again.

    Fix: refuse parameters of version 2 where list-type is missing, instead of ignoring them.
    """
    planted = plant(s3, ("a", "b"))
    query = f"prefix={quote(s3.prefix, safe='')}&start-after={quote(planted[0], safe='')}"
    target = f"/{s3.bucket}?{query}"
    s3.expect(s3.send("ListObjects", "GET", target, bucket=s3.bucket), refused(400, "InvalidArgument"))
    second = s3.send("ListObjectsV2", "GET", f"/{s3.bucket}?list-type=2&{query}", bucket=s3.bucket)
    s3.expect(second, ok(), keys(planted[1:]))


@scenario(
    "LST1-020",
    SHOULD,
    "ListObjects",
    source="LocalStack test_list_objects_with_prefix (recorded on AWS)",
)
def owner_in_every_entry(s3: Scene) -> None:
    """Every entry of a ListObjects that the owner signs has an Owner with an ID.

    S3 promises: version 1 shows the owner of each object without being asked. Owner has the ID, one for all objects
    of one account; a DisplayName may stand beside it.

    Breaks: s3cmd and audit scripts read it of every entry, and some older Java programs fail with a null pointer
    where it is missing.

    Fix: print Owner with its ID in each of the Contents of version 1; version 2 does so on fetch-owner alone.
    """
    planted = plant(s3, ("a", "b"))
    owned = every_entry("Owner", "one with an ID", lambda owner: bool((owner or {}).get("ID")))
    page = s3.expect(s3.call("ListObjects", Prefix=s3.prefix), ok(), keys(planted), owned)
    ids = {entry["Owner"]["ID"] for entry in page.output["Contents"]}
    s3.check(len(ids) == 1, "one owner for objects of one account", f"there were {len(ids)}", page)


@scenario(
    "LST1-023",
    SHOULD,
    "ListObjects",
    source="LocalStack test_region_header_exists_outside_us_east_1 (recorded on AWS); versitygw REST test "
    "ListObjectsV2 includes bucket header",
    clients=LIBRARIES,
)
def listing_names_the_region(s3: Scene) -> None:
    """The answer to a listing has the header x-amz-bucket-region.

    S3 promises: as HeadBucket does, ListObjects names the region of the bucket in a header.

    Breaks: tools that find out a bucket's region from whatever they ask first (s5cmd, DuckDB, many dashboards);
    without the header they need a HeadBucket, for which they may lack permission, or guess us-east-1.

    Fix: add the header to every successful answer about a bucket, in every region.
    """
    planted = plant(s3, ("a",))
    page = s3.expect(s3.call("ListObjects", Prefix=s3.prefix), ok(), keys(planted))
    s3.expect(page, header_where("x-amz-bucket-region", "the name of a region", lambda value: bool(value.strip())))
    s3.expect(page, absent("CommonPrefixes"))


def _decoding_to(member: str, wanted: list[str]) -> Matcher:
    """These names, percent-encoded: nothing that is reserved is left, and decoded once they are what was meant.

    `member` is Key for the Contents, CommonPrefixes, or a name that stands alone.
    """

    def test(seen: Observed) -> str:
        lists = {"Key": seen.keys, "CommonPrefixes": seen.prefixes}
        shown = lists[member] if member in lists else [str(seen.output.get(member))]
        plain = next((name for name in shown if not _ENCODED.fullmatch(name)), None)
        if plain is not None:
            return f"{member} {plain!r} is not encoded"
        return "" if list(map(unquote_plus, shown)) == wanted else f"{member} was {shown!r}"

    return Matcher(f"{member} {wanted!r}, percent-encoded", test)
