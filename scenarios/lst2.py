"""LST2: ListObjectsV2."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import Matcher, absent, body, if_shown, keys, ok, output, output_where, prefixes, refused
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._listing import TREE, every_entry, listing, plant, sizes, walk

SPECIAL = ("a&b/1", "a&b/2", "a&amp;b", "a]]>b", "c<d>/e", 'f"g', "h'i", "<!--j-->")
"""What XML reserves, something that is already escaped, and two sequences with a meaning of their own."""

PLAIN = ("a b", "a%20b", "a%2Fb", "a+b", "a/b c", "a=b?c#d", "é", "中/\U0001f600")
"""Names that percent-encoding would change, or that decoding once too often would."""


@scenario(
    "LST2-001",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_with_prefix_and_delimiter and "
    "test_list_objects_v2_continuation_common_prefixes (recorded on AWS)",
)
def key_count(s3: Scene) -> None:
    """KeyCount is the number of keys plus common prefixes on that page.

    S3 promises: KeyCount counts the entries of the page it stands on, keys and common prefixes alike. It is
    neither the number of keys below the prefixes nor that of all pages, and 0 where nothing matches.

    Breaks: code with boto3 or the Java SDK asks KeyCount whether a folder is empty or a key exists; a count
    without the common prefixes calls a folder of folders empty.

    Fix: take the count when the page is complete, from the two lists that will be printed.
    """
    full = listing(plant(s3, TREE), s3.prefix, "/")
    if not s3.costly:
        page = s3.call("ListObjectsV2", Prefix=s3.prefix, Delimiter="/")
        s3.expect(page, ok(), *full.shown(), output("KeyCount", len(full)))
    for size in (7,) if s3.costly else (1, 2, 3, 7):
        for _, page in walk(s3, len(full), Prefix=s3.prefix, Delimiter="/", MaxKeys=size):
            s3.expect(page, output("KeyCount", len(page.keys) + len(page.prefixes)))
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.key("nothing")), ok(), output("KeyCount", 0))


@scenario(
    "LST2-002",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_start_after (recorded on AWS)",
)
def token_if_truncated(s3: Scene) -> None:
    """NextContinuationToken comes if, and only if, IsTruncated is true, which it is while entries are missing.

    S3 promises: a page that is not the last says IsTruncated true and gives the token that leads on; the last says
    false and gives none, also where it is exactly full, and where keys remain only below its last common prefix.

    Breaks: rclone stops with an error on true without a token; SDK paginators that look only at the token go round
    again on false with one. A page that ends a listing but says true costs every client a request for nothing.

    Fix: read one entry further than the page holds, past the whole group, and derive both members from that.
    """
    planted = plant(s3, TREE)
    for delimiter in ("/",) if s3.costly else ("/", ""):
        fold = {"Delimiter": delimiter} if delimiter else {}
        full = listing(planted, s3.prefix, delimiter)
        for size in (5,) if s3.costly else (1, 2, 5, len(full) - 1, len(full), len(full) + 1):
            seen = 0
            for _, page in walk(s3, len(full), Prefix=s3.prefix, MaxKeys=size, **fold):
                seen += len(page.keys) + len(page.prefixes)
                more = seen < len(full)
                token = output_where("NextContinuationToken", "a token", bool)
                s3.expect(page, output("IsTruncated", more), token if more else absent("NextContinuationToken"))


@scenario(
    "LST2-003",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_start_after (recorded on AWS)",
)
def token_echoed(s3: Scene) -> None:
    """ContinuationToken is echoed on the page it was used for, and absent on the first.

    S3 promises: a page repeats the token that asked for it, character by character. The first page, which no token
    asked for, has no such element, not even an empty one.

    Breaks: typed SDKs (Java, Go, .NET) hand it on to programs that log it or restart from it after a failure; an
    empty one on the first page reads as "resumed".

    Fix: print the element from the request's parameter, and only when there was one.
    """
    total = len(plant(s3, TREE))
    steps = walk(s3, total, Prefix=s3.prefix, MaxKeys=9 if s3.costly else 3)
    s3.check(len(steps) > 1, f"a way from page to page for {total} keys", "the first page led nowhere", steps[0].page)
    s3.expect(steps[0].page, absent("ContinuationToken"))
    for token, page in steps[1:]:
        s3.expect(page, output("ContinuationToken", token))


@scenario(
    "LST2-004",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_common_prefixes (recorded on AWS)",
)
def pages_add_up(s3: Scene) -> None:
    """Following continuation tokens yields every key and common prefix exactly once, in order, at any page size.

    S3 promises: whatever max-keys is, the pages joined together are the listing: nothing repeated, nothing lost,
    keys and common prefixes in UTF-8 byte order. A page that ends inside a group of keys that folds to one common
    prefix continues after the whole group.

    Breaks: rclone and `aws s3 sync` delete or upload again what a page lost; a repeated token makes them loop
    for ever.

    Fix: let the token say "after this key" or "after this prefix", and when it is a prefix skip all keys below it.
    """
    planted = plant(s3, TREE)
    for prefix, delimiter in ((s3.prefix, "/"), (s3.prefix, ""), (s3.key("c/"), "/")):
        full = listing(planted, prefix, delimiter)
        fold = {"Delimiter": delimiter} if delimiter else {}
        for size in (3,) if s3.costly else sizes(s3, len(full)):
            s3.expect(s3.list_all(2, Prefix=prefix, MaxKeys=size, **fold), ok(), *full.shown())


@scenario(
    "LST2-006",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_continuation_start_after (recorded on AWS); versitygw REST test "
    "ListObjectsV2 start-after",
)
def start_after(s3: Scene) -> None:
    """The listing starts behind start-after, which need not be a key, and StartAfter echoes it.

    S3 promises: the first key shown is the first that is greater than start-after by its bytes; start-after itself
    is not shown, whether there is such a key or not. StartAfter repeats what was sent.

    Breaks: log shippers, Spark and Kafka connectors keep the last key they handled and start there; an inclusive
    start handles it twice, an ignored one reads the whole bucket every time.

    Fix: treat it as the marker of version 1: seek to the first greater key, and do not look it up.
    """
    planted = plant(s3, ("a", "b/1", "b/2", "c", "é"))
    starts = ("b/1", "bb") if s3.costly else ("a", "b", "b/1", "b/11", "bb", "c", "d", "é", "ê", "A")
    for start in map(s3.key, starts):
        expected = listing(planted, s3.prefix, after=start)
        page = s3.call("ListObjectsV2", Prefix=s3.prefix, StartAfter=start)
        s3.expect(page, ok(), *expected.shown(), output("StartAfter", start), output("IsTruncated", False))
    for start in map(s3.key, ("a", "b")):  # a common prefix that begins with start-after is behind it
        folded = s3.call("ListObjectsV2", Prefix=s3.prefix, StartAfter=start, Delimiter="/", MaxKeys=1)
        s3.expect(folded, ok(), keys([]), prefixes([s3.key("b/")]), output("IsTruncated", True))


@scenario(
    "LST2-010",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_with_prefix (recorded on AWS); versitygw REST test "
    "ListObjectsV2 fetch-owner",
)
def owner_on_request(s3: Scene) -> None:
    """Entries have an Owner only when fetch-owner=true asks for it.

    S3 promises: version 2 leaves the owner out, unlike version 1, and puts it into each entry, with its ID, when
    fetch-owner is true. fetch-owner=false is as if absent.

    Breaks: inventory and audit scripts that ask for owners fail on entries without one; for everybody else a
    thousand owners a page nobody asked for make listings half as large again.

    Fix: print Owner from the flag alone, and ID always within it.
    """
    planted = plant(s3, ("a", "b"))
    without = every_entry("Owner", "none", lambda owner: owner is None)
    owned = every_entry("Owner", "one with an ID", lambda owner: bool((owner or {}).get("ID")))
    for asked in ({}, {"FetchOwner": False}):
        s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix, **asked), ok(), keys(planted), without)
    s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix, FetchOwner=True), ok(), keys(planted), owned)


@scenario(
    "LST2-012",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_with_prefix_and_delimiter (recorded on AWS)",
)
def direct_children(s3: Scene) -> None:
    """A prefix with a delimiter gives its direct children only; whatever is deeper is rolled up.

    S3 promises: below the prefix, keys without a further delimiter are shown, and all others as one common prefix
    for each child. Common prefixes are written in full, from the start of the key. A prefix may end inside a name,
    and a key that is the prefix itself is one of the keys.

    Breaks: `aws s3 ls`, rclone and every file browser show one folder this way; grandchildren among the keys turn up
    as files with slashes in their names, and a prefix cut to its last segment leads nowhere.

    Fix: search for the delimiter behind the prefix only, and cut behind the first one found.
    """
    planted = plant(s3, ("p/1", "p/q/1", "p/q/r/1", "p/q/r/2", "p/s/1", "p/t", "pp/1", "q/1"))
    for name in ("p/", "p/q/") if s3.costly else ("p/", "p/q/", "p/q/r/", "p", "p/q", "q/", "p/t/"):
        prefix = s3.key(name)
        page = s3.call("ListObjectsV2", Prefix=prefix, Delimiter="/")
        s3.expect(page, ok(), *listing(planted, prefix, "/").shown())
    folder = s3.key("p/")
    # Programs show such a key as the folder that it stands for; whether it can be stored at all is META-012's question.
    if not s3.costly and s3.look("PutObject", Key=folder, Body=b"").ok:
        for prefix in (folder, s3.prefix):
            page = s3.call("ListObjectsV2", Prefix=prefix, Delimiter="/")
            s3.expect(page, ok(), *listing([*planted, folder], prefix, "/").shown())


@scenario(
    "LST2-014",
    MUST,
    "ListObjectsV2",
    source="ceph/s3-tests test_bucket_listv2_delimiter_alt",
    confidence="secondary",
)
def long_delimiter(s3: Scene) -> None:
    """A delimiter may have several characters, and folds only where all of them stand together.

    S3 promises: the delimiter is a string. Keys fold behind its first whole occurrence after the prefix; part of it
    does nothing. Pages end and continue at such prefixes as at any other.

    Breaks: data sets whose names are grouped by something else than a slash ("--", "=", ".part."), listed by SDK
    programs; a store that takes the first character folds far too much.

    Fix: search for the whole string, and cut behind its last character.
    """
    planted = plant(s3, ("a--1", "a--2--3", "a-b", "b---c", "b/--d", "c--", "d-", "e/f"))
    full = listing(planted, s3.prefix, "--")
    page = s3.call("ListObjectsV2", Prefix=s3.prefix, Delimiter="--")
    s3.expect(page, ok(), *full.shown(), output("Delimiter", "--"))
    for size in (3,) if s3.costly else sizes(s3, len(full)):
        s3.expect(s3.list_all(2, Prefix=s3.prefix, Delimiter="--", MaxKeys=size), ok(), *full.shown())


@scenario(
    "LST2-015",
    MUST,
    "ListObjectsV2",
    source="botocore service model; LocalStack test_response_structure (recorded on AWS)",
)
def flat_common_prefixes(s3: Scene) -> None:
    """Every common prefix is a CommonPrefixes element of its own that holds one Prefix.

    S3 promises: the list has no wrapper. CommonPrefixes comes as often as there are common prefixes, each time
    with a single Prefix in it.

    Breaks: every SDK takes one Prefix from each element; with all of them in one wrapper boto3, the AWS CLI and
    rclone see a single folder and lose the others.

    Fix: repeat the outer element. XML libraries write one wrapper around a list unless told that it is flattened.
    """
    full = listing(plant(s3, TREE), s3.prefix, "/")
    page = s3.call("ListObjectsV2", Prefix=s3.prefix, Delimiter="/")
    s3.expect(page, ok(), *full.shown(), if_shown(_one_each(len(full.prefixes))))


@scenario(
    "LST2-017",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_list_objects_v2_with_prefix (recorded on AWS)",
    clients=("raw",),
)
def not_percent_encoded(s3: Scene) -> None:
    """Without encoding-type, keys and prefixes are XML text and not percent-encoded.

    S3 promises: unless the request asks for encoding-type=url, names are written as they are, escaped for XML and
    for nothing else, and there is no EncodingType element. "a%20b" is a name of five characters.

    Breaks: s5cmd, s3cmd and many small clients never ask for the encoding and never decode: they show "a%20b" for
    "a b" and then ask for a key that does not exist.

    Fix: percent-encode only where encoding-type=url came with the request; otherwise leave it to the XML writer.
    """
    planted = plant(s3, PLAIN)
    full = s3.call("ListObjectsV2", Prefix=s3.prefix)
    s3.expect(full, ok(), *listing(planted, s3.prefix).shown(), absent("EncodingType"))
    for name in ("a ", "a%2", "a+", "中"):
        prefix = s3.key(name)
        page = s3.call("ListObjectsV2", Prefix=prefix, Delimiter="/")
        s3.expect(page, ok(), *listing(planted, prefix, "/").shown(), output("Prefix", prefix))


@scenario(
    "LST2-018",
    MUST,
    "ListObjectsV2",
    "GetObject",
    source="ceph/s3-tests test_bucket_list_special_prefix; LocalStack test_delete_objects_encoding (recorded on AWS)",
)
def special_characters(s3: Scene) -> None:
    """Keys with the characters & < > " ' survive the round trip through the listing.

    S3 promises: what XML reserves is escaped once, in keys, common prefixes and echoes, so that the name read from
    the listing is the name that was stored, also as prefix and at the end of a page. "a&amp;b" stays what it is.

    Breaks: one such key makes the whole page malformed, and every client fails on the bucket; escaped twice, or not
    unescaped, it makes rclone and `aws s3 sync` copy the object on every run and never find it again.

    Fix: let an XML writer produce the document instead of pasting strings, and escape nothing before it.
    """
    planted = plant(s3, SPECIAL)
    top = listing(planted, s3.prefix, "/")
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), *listing(planted, s3.prefix).shown())
    s3.expect(s3.list_all(2, Prefix=s3.prefix, Delimiter="/"), ok(), *top.shown())
    paged = s3.list_all(2, Prefix=s3.prefix, Delimiter="/", MaxKeys=3 if s3.costly else 1)
    s3.expect(paged, ok(), *top.shown())
    if not s3.costly:
        for prefix in map(s3.key, ("a&", "c<d>/", "f")):
            s3.expect(s3.list_all(2, Prefix=prefix), ok(), *listing(planted, prefix).shown())
    for key in planted[:1] if s3.costly else planted:
        s3.expect(s3.call("GetObject", Key=key), ok(), body(key.encode()))


@scenario(
    "LST2-020",
    MUST,
    "ListObjectsV2",
    source="ceph/s3-tests test_bucket_listv2_maxkeys_zero",
    confidence="secondary",
)
def max_keys_zero(s3: Scene) -> None:
    """A max-keys of 0 is success with no entries, KeyCount 0 and IsTruncated false.

    S3 promises: nothing was asked for, and nothing comes: no keys, no common prefixes, and no claim that there is
    more, although there is.

    Breaks: programs that only want to know whether they may list ask for 0 keys; a store that takes 0 for "no limit"
    sends them a thousand, one that says truncated sends paginators round for ever.

    Fix: tell "not given" from 0, and answer 0 before the search begins.
    """
    plant(s3, ("a", "b/1"))
    page = s3.call("ListObjectsV2", Prefix=s3.prefix, Delimiter="/", MaxKeys=0)
    s3.expect(page, ok(), keys([]), prefixes([]), output("KeyCount", 0), output("IsTruncated", False))


@scenario(
    "LST2-021",
    MUST,
    "ListObjectsV2",
    source="LocalStack test_bucket_does_not_exist (recorded on AWS)",
)
def unknown_bucket(s3: Scene) -> None:
    """Listing a bucket that does not exist is refused with 404 NoSuchBucket, which names the bucket.

    S3 promises: status 404, code NoSuchBucket, and the bucket's name in the element BucketName.

    Breaks: rclone tells "no such bucket" from "may not look" by this code and creates the bucket on the first;
    `aws s3 ls` and Terraform do likewise. An empty page instead lets a sync take a typing error for an empty target.

    Fix: look the bucket up before anything else, and write its name into the error document.
    """
    name = s3.bucket_name()
    listed = s3.call("ListObjectsV2", Bucket=name)
    s3.expect(listed, refused(404, "NoSuchBucket", fields={"BucketName": name}))


@scenario(
    "LST2-024",
    MUST,
    "ListObjectsV2",
    source="AWS documentation, Uploading and copying objects using multipart upload",
    confidence="partly unverified",
)
def unfinished_uploads_hidden(s3: Scene) -> None:
    """A key whose multipart upload is not finished is not listed, neither itself nor as a common prefix.

    S3 promises: until it is completed an upload is no object. Its parts do not show in listings, and an object that
    already has the key stays listed as it was.

    Breaks: rclone and `aws s3 sync` would copy, or delete, a file that cannot be read yet; Hadoop and Spark
    committers keep uploads open on purpose so that readers do not see half a table.

    Fix: keep parts apart from objects, and add the key to the index when the upload is completed, not before.
    """
    old, new, other = s3.key("old"), s3.key("pending/new"), s3.key("z")
    s3.put(old, b"old")
    s3.put(other)
    uploads = {key: s3.setup("CreateMultipartUpload", Key=key).output.get("UploadId", "") for key in (old, new)}
    part = {
        key: s3.setup("UploadPart", Key=key, UploadId=upload, PartNumber=1, Body=b"a part")
        for key, upload in uploads.items()
    }
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys([old, other]), prefixes([]))
    s3.expect(s3.list_all(2, Prefix=s3.prefix, Delimiter="/"), ok(), keys([old, other]), prefixes([]))
    s3.expect(s3.look("GetObject", Key=old), ok(), body(b"old"))
    parts = [{"PartNumber": 1, "ETag": part[new].etag or ""}]
    s3.setup("CompleteMultipartUpload", Key=new, UploadId=uploads[new], MultipartUpload={"Parts": parts})
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys([old, new, other]))


def _one_each(count: int) -> Matcher:
    """The answer has this many CommonPrefixes elements, each with one Prefix and nothing else."""

    def test(seen: Observed) -> str:
        if seen.document is None:
            raise Inexpressible(f"{seen.client} does not show the document")
        found = [[child.tag for child in element] for element in seen.document.all("CommonPrefixes")]
        return "" if found == [["Prefix"]] * count else f"they hold {found!r}"

    return Matcher(f"{count} CommonPrefixes elements, each with one Prefix", test)
