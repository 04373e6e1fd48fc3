"""LBKT: ListBuckets.

The account may have buckets that are not the run's, and they come and go: only names of the run are looked for, and
no other name is ever put into a message.
"""

from __future__ import annotations

import re
from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, if_shown, ok, output, refused, root
from harness.sandbox import DEFAULT_REGION, creation
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible

PAGES = 50
"""Pages of one bucket each after which a listing by the run's own prefix is taken to go in circles."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", re.ASCII)


def entries(seen: Observed) -> list[dict[str, Any]]:
    """The entries of an answer; none where it has no list."""
    found: list[dict[str, Any]] = seen.output.get("Buckets") or []
    return found


def names(seen: Observed) -> list[str]:
    """The names of an answer, in its order."""
    return [str(entry.get("Name")) for entry in entries(seen)]


def lists(*wanted: str) -> Matcher:
    """These buckets of the run are there, each once, in this order, whatever else is."""

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        found = [name for name in names(seen) if name in wanted]
        return "" if found == list(wanted) else f"of them it listed {found!r}, among {len(entries(seen))} buckets"

    return Matcher(f"among the buckets {list(wanted)!r}", test)


def lacks(*unwanted: str) -> Matcher:
    """None of these buckets of the run is there."""

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        found = [name for name in names(seen) if name in unwanted]
        return f"it listed {found!r}" if found else ""

    return Matcher(f"no bucket of {list(unwanted)!r}", test)


def only_with(prefix: str) -> Matcher:
    """Every bucket that is listed begins with this."""

    def test(seen: Observed) -> str:
        strangers = [name for name in names(seen) if not name.startswith(prefix)]
        return f"{len(strangers)} names did not" if strangers else ""

    return Matcher(f"only names that begin with {prefix!r}", test)


def entry_of(bucket: str, what: str, test: Any) -> Matcher:
    """The entry of a bucket of the run passes `test`."""

    def look(seen: Observed) -> str:
        found = next((entry for entry in entries(seen) if entry.get("Name") == bucket), None)
        if found is None:
            return f"it is not among {len(entries(seen))} buckets"
        return "" if test(found) else f"it was {found!r}"

    return Matcher(f"the entry of {bucket}: {what}", look)


def two_buckets(s3: Scene) -> list[str]:
    """Two new buckets in the order of their names, made in the other one."""
    pair = sorted((s3.bucket_name(), s3.bucket_name()))
    for bucket in reversed(pair):
        s3.setup("CreateBucket", **creation(bucket, s3.witness.region))
    return pair


@scenario(
    "LBKT-001",
    MUST,
    "ListBuckets",
    source="LocalStack test_response_structure (recorded on AWS); versitygw REST test ListBuckets, correct buckets "
    "show up",
)
def buckets_are_listed(s3: Scene) -> None:
    """ListBuckets is 200 and shows the caller's buckets with Name and CreationDate, behind the Owner with its ID.

    S3 promises: the document is ListAllMyBucketsResult: first Owner, with ID, then Buckets, in which every bucket of
    the account is a Bucket with Name and CreationDate. (A bucket that was just deleted may still be listed for a
    while, says Amazon of S3, and is not judged.)

    Breaks: `aws s3 ls`, `rclone lsd` and every file browser begin with this list; a bucket that is not on it does not
    exist for their users. Readers that stream the document expect the owner first.

    Fix: answer from the store of buckets, not from a cache, and write Owner first.
    """
    bucket = s3.new_bucket()
    listed = s3.expect(s3.call("ListBuckets"), ok(), lists(bucket))
    dated = entry_of(bucket, "has a CreationDate", lambda entry: _date_shown(listed, entry))
    s3.expect(listed, if_shown(dated), if_shown(root("ListAllMyBucketsResult")), if_shown(_owner_first()))
    s3.expect(s3.look("ListBuckets"), ok(), lists(bucket))


@scenario(
    "LBKT-002",
    MUST,
    "ListBuckets",
    source="no record found; the API reference says nothing of the order",
    clients=CALLERS,
    confidence="unverified",
)
def buckets_by_name(s3: Scene) -> None:
    """Buckets are listed in the order of their names.

    S3 promises: the order is that of the names, whenever the buckets were made.

    Breaks: programs that page (max-buckets) or compare two lists side by side lose buckets; people only search
    longer.

    Fix: sort by name before the page is cut.
    """
    pair = two_buckets(s3)
    s3.expect(s3.call("ListBuckets"), ok(), lists(*pair))


@scenario(
    "LBKT-003",
    EXTENDED,
    "ListBuckets",
    source="LocalStack test_list_buckets_with_max_buckets (recorded on AWS); versitygw REST test list buckets, "
    "continuation token isn't bucket name",
    clients=LIBRARIES,
)
def pages_of_buckets(s3: Scene) -> None:
    """max-buckets limits a page and gives an opaque ContinuationToken, which is not the name of a bucket.

    S3 promises: a page has at most so many buckets; where more follow it has a token, and with it the next page goes
    on. The last page has none. What the token says is the store's own business: it contains no bucket name.

    Breaks: accounts with thousands of buckets are listed in pages by the current SDKs; a store that ignores the limit
    is only slow, one whose token does not lead on shows a part of the buckets as all.

    Fix: sort by name, cut, and put the last name into the token in an encoded form.
    """
    pair = two_buckets(s3)
    prefix = _common(pair)
    token, found = "", list[str]()
    for _ in range(PAGES):
        more = {"ContinuationToken": token} if token else {}
        page = s3.expect(s3.call("ListBuckets", Prefix=prefix, MaxBuckets=1, **more), ok())
        s3.check(len(entries(page)) <= 1, "at most 1 bucket on a page", f"there were {len(entries(page))}", page)
        found += [name for name in names(page) if name in pair]
        token = str(page.output.get("ContinuationToken") or "")
        named = [name for name in pair if name in token]
        s3.check(not named, "a token that contains no bucket name", f"it contains {named}", page)
        if not token:
            break
    s3.check(found == pair, f"on the pages together {pair}", f"they showed {found}", page)
    whole = s3.call("ListBuckets", Prefix=prefix)
    s3.expect(whole, ok(), lists(*pair), absent("ContinuationToken"))


@scenario(
    "LBKT-004",
    EXTENDED,
    "ListBuckets",
    source="LocalStack test_list_buckets_by_prefix_with_case_sensitivity (recorded on AWS); versitygw REST test list "
    "buckets w/prefix",
    clients=LIBRARIES,
)
def buckets_by_prefix(s3: Scene) -> None:
    """The parameter prefix shows only buckets whose names begin with it, letter case included, and is echoed.

    S3 promises: the comparison is by characters. A prefix in capital letters matches no name in small ones, and one
    that matches nothing is no error.

    Breaks: programs with one bucket for each tenant find theirs by prefix; where it is ignored they show the buckets
    of all tenants.

    Fix: filter before the page is cut, and print Prefix whenever it was sent.
    """
    first, second = two_buckets(s3)
    for prefix, wanted, unwanted in (
        (first, (first,), (second,)),
        (_common([first, second]), (first, second), ()),
        (first.upper(), (), (first, second)),
        (f"{first}-nothing", (), (first, second)),
    ):
        page = s3.call("ListBuckets", Prefix=prefix)
        s3.expect(page, ok(), lists(*wanted), lacks(*unwanted), only_with(prefix), output("Prefix", prefix))


@scenario(
    "LBKT-005",
    EXTENDED,
    "ListBuckets",
    source="LocalStack test_list_buckets_by_bucket_region and test_list_buckets_region_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def buckets_by_region(s3: Scene) -> None:
    """bucket-region shows only buckets of that region; an unknown region is 400 InvalidArgument naming bucket-region.

    S3 promises: the region of the bucket decides. A region without buckets gives an empty list, and a name that is no
    region is an error whose ArgumentName is bucket-region.

    Breaks: tools that work region by region handle the same bucket once for each region where the filter is ignored.

    Fix: compare with the region of each bucket, and check the name against the regions that exist.
    """
    bucket, region = s3.new_bucket(), s3.witness.region
    other = "eu-west-2" if region != "eu-west-2" else DEFAULT_REGION
    s3.expect(s3.call("ListBuckets", BucketRegion=region, Prefix=bucket), ok(), lists(bucket))
    s3.expect(s3.call("ListBuckets", BucketRegion=other, Prefix=bucket), ok(), lacks(bucket))
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "bucket-region"})
    s3.expect(s3.call("ListBuckets", BucketRegion="no-such-region"), refusal)


@scenario(
    "LBKT-006",
    EXTENDED,
    "ListBuckets",
    source="LocalStack test_list_buckets_with_max_buckets (recorded on AWS); versitygw REST test ListBuckets, correct "
    "bucket region",
    clients=LIBRARIES,
)
def when_regions_are_shown(s3: Scene) -> None:
    """BucketRegion is shown if, and only if, a parameter for pages or filters was given.

    S3 promises: a plain ListBuckets shows Name and CreationDate alone. With max-buckets, prefix or bucket-region each
    bucket has its BucketRegion too.

    Breaks: SDK programs that ask for a page in order to learn the regions in one request fall back to a HeadBucket for
    every bucket. That the plain list lacks it is only strictness.

    Fix: add the member where the request has one of these parameters.
    """
    bucket, region = s3.new_bucket(), s3.witness.region
    without = entry_of(bucket, "has no BucketRegion", lambda entry: entry.get("BucketRegion") is None)
    regional = entry_of(bucket, f"has BucketRegion {region}", lambda entry: entry.get("BucketRegion") == region)
    s3.expect(s3.call("ListBuckets"), ok(), without)
    for asked in ({"MaxBuckets": 10}, {}, {"BucketRegion": region}):
        s3.expect(s3.call("ListBuckets", Prefix=bucket, **asked), ok(), regional)


@scenario(
    "LBKT-007",
    EXTENDED,
    "ListBuckets",
    source="LocalStack test_list_buckets_when_continuation_token_is_empty (recorded on AWS)",
    clients=LIBRARIES,
)
def empty_token(s3: Scene) -> None:
    """An empty continuation-token of ListBuckets is accepted as none.

    S3 promises: unlike in ListObjectsV2 (LST2-008), `continuation-token=` begins the list of buckets.

    Breaks: loops that send the token on the first page too, before there is one.

    Fix: treat the empty value of this one operation as not given.
    """
    bucket = s3.new_bucket()
    page = s3.call("ListBuckets", Prefix=bucket, ContinuationToken="")
    s3.expect(page, ok(), lists(bucket), absent("ContinuationToken"))


@scenario(
    "LBKT-010",
    SHOULD,
    "ListBuckets",
    source="LocalStack test_s3_timestamp_precision (recorded on AWS)",
    clients=("raw",),
)
def creation_date_format(s3: Scene) -> None:
    """CreationDate has three zero decimals and Z.

    S3 promises: the form is 2026-02-03T04:05:06.000Z, as for the times of objects in a listing.

    Breaks: strict parsers of one form (older Java programs, shell scripts that cut by columns), and tools that sort
    by the text.

    Fix: keep whole seconds, and print all times of listings through one function.
    """
    bucket = s3.new_bucket()
    dated = entry_of(
        bucket,
        "CreationDate like 2026-02-03T04:05:06.000Z",
        lambda entry: bool(_TIME.fullmatch(str(entry.get("CreationDate")))),
    )
    s3.expect(s3.call("ListBuckets"), ok(), dated)


def _common(pair: list[str]) -> str:
    """What two names have in common from their beginning."""
    first, second = pair
    length = next(index for index in range(len(first) + 1) if first[: index + 1] != second[: index + 1])
    return first[:length]


def _date_shown(seen: Observed, entry: dict[str, Any]) -> bool:
    if seen.partial and "CreationDate" not in entry:
        raise Inexpressible(f"{seen.client} does not show when a bucket was made")
    return bool(entry.get("CreationDate"))


def _owner_first() -> Matcher:
    def test(seen: Observed) -> str:
        if seen.document is None:
            raise Inexpressible(f"{seen.client} does not show the document")
        tags = [child.tag for child in seen.document if child.tag in ("Owner", "Buckets")]
        owner = seen.document.find("Owner")
        if owner is None or not owner.get("ID"):
            return "there is no Owner with an ID"
        return "" if tags == ["Owner", "Buckets"] else f"they came as {tags}"

    return Matcher("one Owner with an ID, before Buckets", test)
