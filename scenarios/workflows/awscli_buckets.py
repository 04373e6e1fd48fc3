"""`aws s3` on buckets: making, removing and listing them, and what is in them.

Exit codes: 1 where a transfer or removal failed or nothing was found, 255 (version 1) or 254 (version 2) where the
service refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.clients.base import Observed
from harness.expect import ok, refused
from harness.sandbox import creation
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._awscli import done
from scenarios.workflows._refusals import error_code, named, one_object, refused_delete
from scenarios.workflows._steps import exits, operations, prints, silent, tells

SERVICE_REFUSED = (254, 255)
"""Exit codes of versions 2 and 1."""

SIZES = {"a b+c%20.txt": 1, "d-e": 55555, "d/e": 22, "d/f/é": 333, "x": 4444}
"""Sizes in bytes by key, in the order of a listing."""

_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_ENTRY = re.compile(rf"^{_STAMP} +(\d+) (.*)$", re.MULTILINE)
_BUCKET = re.compile(rf"^{_STAMP} (\S+)$", re.MULTILINE)
_TOTAL = re.compile(r"^ *Total (Objects|Size): (\d+)$", re.MULTILINE)
_FOLDER = re.compile(r"^ +PRE (.*)$", re.MULTILINE)


def sized(s3: Scene) -> dict[str, int]:
    """Objects of the sizes in `SIZES` below the cell's prefix; their sizes by key."""
    for name, size in SIZES.items():
        s3.put(s3.key(name), b"x" * size)
    return {s3.key(name): size for name, size in SIZES.items()}


def shown(run: Observed) -> list[tuple[str, int]]:
    """The keys and sizes that `aws s3 ls` printed."""
    return [(key, int(size)) for size, key in _ENTRY.findall(run.stdout)]


@scenario(
    "AWSCLI-001",
    SHOULD,
    "CreateBucket",
    source="AWS CLI reference, s3 mb; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def mb(s3: Scene) -> None:
    """`aws s3 mb` makes a bucket: exit code 0, and the bucket is there, and empty.

    S3 promises: CreateBucket answers 200 when the bucket exists and is the caller's.

    Breaks: every set-up script; what comes next fails with NoSuchBucket.

    Fix: answer 200 only when the bucket can be written to; a store without buckets of its own says 501.
    """
    bucket = s3.bucket_name()
    run = s3.program("s3", "mb", f"s3://{bucket}")
    done(s3, run, "CreateBucket", **creation(bucket, s3.witness.region))
    s3.expect(run, prints(f"make_bucket: {bucket}"))
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
    listing = s3.expect(s3.look("ListObjectsV2", Bucket=bucket), ok())
    s3.check(listing.keys == [], "an empty bucket", f"it holds {listing.keys}", listing)


@scenario(
    "AWSCLI-031",
    SHOULD,
    "CreateBucket",
    source="Amazon S3 API reference, CreateBucket, BucketAlreadyOwnedByYou; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def mb_again(s3: Scene) -> None:
    """`aws s3 mb` of an own bucket succeeds or ends with exit code 1 and BucketAlreadyOwnedByYou; the bucket stays.

    S3 promises: 200 in us-east-1, 409 BucketAlreadyOwnedByYou elsewhere; in neither case is anything lost.

    Breaks: scripts that make sure of their bucket on every start, and take BucketAlreadyExists for a name that
    somebody else has.

    Fix: tell one's own bucket (BucketAlreadyOwnedByYou) from another account's (BucketAlreadyExists).
    """
    bucket = s3.new_bucket()
    s3.put("kept", b"kept", Bucket=bucket)
    run = s3.program("s3", "mb", f"s3://{bucket}")
    if run.exit_code != 0:
        s3.expect(run, exits(1))
        if "BucketAlreadyOwnedByYou" not in run.stderr:
            s3.expect(s3.look("CreateBucket", **creation(bucket, s3.witness.region)), ok())
        s3.expect(run, tells("BucketAlreadyOwnedByYou"))
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="kept"), one_object(b"kept"))


@scenario(
    "AWSCLI-032",
    SHOULD,
    "DeleteBucket",
    source="AWS CLI reference, s3 rb; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def rb(s3: Scene) -> None:
    """`aws s3 rb` removes an empty bucket: exit code 0, and the bucket is gone.

    S3 promises: DeleteBucket answers 204 when the bucket is no more.

    Breaks: teardown of environments; a bucket that stays is paid for, and its name is taken at the next set-up.

    Fix: 204 once the bucket is gone, 403 with a reason on a store that keeps its buckets.
    """
    bucket = s3.new_bucket()
    run = s3.program("s3", "rb", f"s3://{bucket}")
    if run.exit_code != 0:
        s3.expect(s3.look("DeleteBucket", Bucket=bucket), ok(204))
    s3.expect(run, exits(0), prints(f"remove_bucket: {bucket}"))
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))
    s3.expect(s3.look("ListObjectsV2", Bucket=bucket), refused(404, "NoSuchBucket"))


@scenario(
    "AWSCLI-002",
    SHOULD,
    "DeleteBucket",
    source="Amazon S3 API reference, DeleteBucket; exit code measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def rb_of_a_full_bucket(s3: Scene) -> None:
    """`aws s3 rb` of a bucket with an object ends with exit code 1 and BucketNotEmpty, and the object stays.

    S3 promises: all objects must be deleted before the bucket itself can be; else 409 BucketNotEmpty.

    Breaks: whoever relies on `rb` being harmless; this refusal is all that stands between a typing error and the data.

    Fix: look for objects, versions and uploads before deleting a bucket; answer 409 BucketNotEmpty.
    """
    bucket = s3.new_bucket()
    s3.put("kept", b"kept", Bucket=bucket)
    run = s3.program("s3", "rb", f"s3://{bucket}")
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="kept"), one_object(b"kept"))
    s3.expect(run, exits(1))
    if "BucketNotEmpty" not in run.stderr:
        s3.expect(s3.look("DeleteBucket", Bucket=bucket), refused(409, "BucketNotEmpty"))
    s3.expect(run, tells("BucketNotEmpty"))


@scenario(
    "AWSCLI-003",
    SHOULD,
    "DeleteBucket",
    "DeleteObject",
    "ListObjectsV2",
    source="AWS CLI reference, s3 rb; exit codes measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def rb_force(s3: Scene) -> None:
    """`aws s3 rb --force` removes a bucket with its objects, or ends with exit code 255 and leaves all of it whole.

    S3 promises: a listing names every object, each DeleteObject is answered for itself, and so is DeleteBucket.

    Breaks: teardown of environments; a refusal that is answered 204 lets the CLI go on to delete the bucket.

    Fix: 204 only for what is gone; a store that keeps its objects answers 403 AccessDenied with a reason.
    """
    bucket, objects = s3.new_bucket(), {"one": b"first", "sub/two": b"second"}
    for key, content in objects.items():
        s3.put(key, content, Bucket=bucket)
    run = s3.program("s3", "rb", f"s3://{bucket}", "--force")
    left = [s3.look("GetObject", Bucket=bucket, Key=key) for key in objects]
    if run.exit_code == 0:
        for found in left:
            s3.expect(found, refused(404, "NoSuchBucket"))
        s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))
    elif any(found.ok for found in left):
        kept(s3, run, dict(zip(objects.values(), left, strict=True)))
    else:
        s3.expect(s3.look("DeleteBucket", Bucket=bucket), ok(204))
        s3.expect(run, exits(0))


def kept(s3: Scene, run: Observed, found: Mapping[bytes, Observed]) -> None:
    """After a refused delete the CLI gives up with exit code 255, without a try at the bucket; all is as it was."""
    s3.expect(run, exits(255))
    for content, read in found.items():
        s3.expect(read, one_object(content))
    refusals = [sent for sent in run.exchanges if refused_delete(sent)]
    reasons = ", ".join(sorted({error_code(sent) or str(sent.status) for sent in refusals})) or "none was refused"
    told = any(named(sent, run.stderr) for sent in refusals)
    s3.check(told, f"standard error names why a delete was refused ({reasons})", f"it said {run.stderr!r}", run)
    sent = operations(s3, run)
    s3.check("DeleteBucket" not in sent, "no DeleteBucket after a refused delete", f"it sent {sent}", run)


@scenario(
    "AWSCLI-004",
    SHOULD,
    "ListBuckets",
    source="AWS CLI reference, s3 ls; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_of_all_buckets(s3: Scene) -> None:
    """`aws s3 ls` prints every bucket of the account, once, with the time of its making.

    S3 promises: ListBuckets names all buckets of the caller, with CreationDate.

    Breaks: inventories and backups that loop over `aws s3 ls`: a bucket that is not shown is not saved.

    Fix: list every bucket the caller owns; CreationDate as an ISO 8601 timestamp.
    """
    buckets = sorted([s3.new_bucket(), s3.new_bucket()])
    for bucket in buckets:  # on some stores a bucket comes into being with its first object
        s3.put("object", Bucket=bucket)
    run = s3.program("s3", "ls")
    done(s3, run, "ListBuckets")
    printed = (run.body or b"").decode()  # of all buckets of the account: more than is kept as text
    found = sorted(name for name in _BUCKET.findall(printed) if name in buckets)
    s3.check(found == buckets, f"a line with a time for each of {buckets}", f"it printed {printed[-500:]!r}", run)


@scenario(
    "AWSCLI-005",
    MUST,
    "ListObjectsV2",
    source="AWS CLI reference, s3 ls; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_with_totals(s3: Scene) -> None:
    """`aws s3 ls --recursive --summarize` prints every key with its size, in byte order, and the right totals.

    S3 promises: ListObjectsV2 names each key once, in the order of its UTF-8 bytes, with its size. The CLI asks for
    encoding-type=url and decodes what comes.

    Breaks: bills and inventories; keys with spaces, plus signs or letters beyond ASCII under another name.

    Fix: encode keys when encoding-type=url is asked for, and say so with EncodingType.
    """
    objects = sized(s3)
    run = s3.program("s3", "ls", f"s3://{s3.bucket}/{s3.prefix}", "--recursive", "--summarize")
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    s3.check(shown(run) == list(objects.items()), f"{list(objects.items())}", f"it printed {run.stdout!r}", run)
    totals = {"Objects": len(objects), "Size": sum(objects.values())}
    found = {name: int(number) for name, number in _TOTAL.findall(run.stdout)}
    s3.check(found == totals, f"totals {totals}", f"they were {found}", run)


@scenario(
    "AWSCLI-033",
    MUST,
    "ListObjectsV2",
    source="AWS CLI reference, s3 ls, page-size; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_by_pages(s3: Scene) -> None:
    """`aws s3 ls --recursive --page-size 1` prints every key once, also over several pages.

    S3 promises: a truncated page has a NextContinuationToken, and the page after it begins behind its last key.

    Breaks: everything on more than 1000 keys: `ls`, `sync`, `rm --recursive` and `rb --force` all walk pages.

    Fix: a token that leads to the first key not yet listed; IsTruncated as long as there is one.
    """
    objects = sized(s3)
    run = s3.program("s3", "ls", f"s3://{s3.bucket}/{s3.prefix}", "--recursive", "--page-size", "1")
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    s3.check(shown(run) == list(objects.items()), f"{list(objects.items())}", f"it printed {run.stdout!r}", run)


@scenario(
    "AWSCLI-034",
    MUST,
    "ListObjectsV2",
    source="AWS CLI reference, s3 ls; output measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_of_a_folder(s3: Scene) -> None:
    """`aws s3 ls` of a folder prints each folder below it once, as PRE, and the keys beside them.

    S3 promises: with delimiter=/ keys fold into CommonPrefixes, each listed once.

    Breaks: whoever looks around in a bucket; folders that are missing, or that come again on every page.

    Fix: count common prefixes against max-keys, and begin the next page behind all keys of the last prefix.
    """
    sized(s3)
    run = s3.program("s3", "ls", f"s3://{s3.bucket}/{s3.prefix}", "--page-size", "1")
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix, Delimiter="/")
    names, folders = [name for name in SIZES if "/" not in name], _FOLDER.findall(run.stdout)
    s3.check(folders == ["d/"], "one folder, d/", f"it printed {run.stdout!r}", run)
    expected = [(name, SIZES[name]) for name in names]
    s3.check(shown(run) == expected, f"{expected}", f"it printed {run.stdout!r}", run)


@scenario(
    "AWSCLI-006",
    SHOULD,
    "ListObjectsV2",
    source="AWS CLI source, ListCommand, returns 1 where nothing is found; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_of_nothing(s3: Scene) -> None:
    """`aws s3 ls` of a folder without objects prints nothing and ends with exit code 1.

    S3 promises: a listing below a prefix without keys is 200 with no Contents, no CommonPrefixes.

    Breaks: scripts that ask with `aws s3 ls` whether something is there: they are told yes, or of a failure.

    Fix: honour the prefix; answer an empty listing, neither 404 nor the prefix itself.
    """
    s3.put(s3.key("something"))
    run = s3.program("s3", "ls", f"s3://{s3.bucket}/{s3.key('nothing/')}")
    s3.expect(run, exits(1), silent())
    s3.check(not run.stderr.strip(), "no error", f"it said {run.stderr!r}", run)
    listing = s3.expect(s3.look("ListObjectsV2", Prefix=s3.key("nothing/"), Delimiter="/"), ok())
    s3.check(not listing.keys and not listing.prefixes, "an empty listing", f"it holds {listing.keys}", listing)


@scenario(
    "AWSCLI-007",
    SHOULD,
    "ListObjectsV2",
    source="Amazon S3 API reference, NoSuchBucket; exit codes measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def ls_of_a_missing_bucket(s3: Scene) -> None:
    """`aws s3 ls` of a bucket that does not exist ends with exit code 255 or 254 and NoSuchBucket.

    S3 promises: 404 NoSuchBucket for every operation on a bucket that is not there.

    Breaks: scripts that ask whether a bucket exists; a misspelt name that looks like an empty bucket.

    Fix: answer 404 NoSuchBucket, not an empty listing.
    """
    bucket = s3.bucket_name()
    run = s3.program("s3", "ls", f"s3://{bucket}")
    if run.exit_code not in SERVICE_REFUSED:
        s3.expect(s3.look("ListObjectsV2", Bucket=bucket), refused(404, "NoSuchBucket"))
    s3.expect(run, exits(*SERVICE_REFUSED), tells("NoSuchBucket"), silent())
