"""`aws s3 sync`: trees that are made equal, and what it leaves alone.

Whether a file is sent again is decided by size and time alone, from one listing. Local files are therefore given an
age: listings show whole seconds, and a file of this very second would look newer than the object made of it.
"""

from __future__ import annotations

from pathlib import Path

from harness.clients.base import Observed
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._awscli import HOUR, copy_source, done, holds, written
from scenarios.workflows._steps import found, operations, prints, silent

TREE = {
    "a-b.txt": b"first",
    "a.txt": b"second",
    "a/b.txt": b"third",
    "a/c d+e%20.txt": b"fourth",
    "é/empty": b"",
}
"""Files whose order depends on bytes: - and . sort before /, é behind all of them."""


def keyed(s3: Scene, files: dict[str, bytes]) -> dict[str, bytes]:
    """Files as objects below the cell's prefix, by key."""
    return {s3.key(name): content for name, content in files.items()}


def stored(s3: Scene, files: dict[str, bytes]) -> None:
    """Objects as they would be after a sync of `files`."""
    for key, content in keyed(s3, files).items():
        s3.put(key, content)


def up(s3: Scene, folder: Path, *options: str) -> Observed:
    """`aws s3 sync` of a folder to the cell's prefix."""
    return s3.program("s3", "sync", str(folder), f"s3://{s3.bucket}/{s3.prefix}", "--no-progress", *options)


def down(s3: Scene, folder: Path, *options: str) -> Observed:
    """`aws s3 sync` of the cell's prefix to a folder."""
    return s3.program("s3", "sync", f"s3://{s3.bucket}/{s3.prefix}", str(folder), "--no-progress", *options)


def nothing_sent(s3: Scene, run: Observed) -> None:
    """A sync of what is equal: exit code 0, not a word, and nothing but one listing on the wire."""
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    s3.expect(run, silent())
    sent = operations(s3, run)
    s3.check(sent == ["ListObjectsV2"], "one ListObjectsV2 and nothing else", f"it sent {sent}", run)


def fetched(s3: Scene, run: Observed, folder: Path, files: dict[str, bytes]) -> None:
    """A sync down ended with exit code 0 and left exactly these files."""
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    shown = found(folder)
    s3.check(shown == files, f"the files {files}", f"there are {shown}", run)


@scenario(
    "AWSCLI-017",
    MUST,
    "ListObjectsV2",
    "PutObject",
    source="AWS CLI reference, s3 sync; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_up(s3: Scene) -> None:
    """`aws s3 sync FOLDER s3://…` stores every file that is not there yet, and nothing else.

    S3 promises: a listing below a new prefix is empty, and PutObject stores every key that is valid UTF-8.

    Breaks: backups and web sites, whose files are in folders and have spaces, plus signs and accents in their names.

    Fix: decode the request path once; take empty bodies.
    """
    run = up(s3, written(s3.folder, TREE))
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    holds(s3, keyed(s3, TREE))


@scenario(
    "AWSCLI-018",
    SHOULD,
    "ListObjectsV2",
    source="AWS CLI reference, s3 sync; wire measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_up_again(s3: Scene) -> None:
    """`aws s3 sync` of an unchanged folder sends one listing and not one upload.

    S3 promises: keys in the order of their UTF-8 bytes, with size and with the time of their last change. Sync walks
    the listing beside the local tree, both in that order.

    Breaks: with another order, encoded names or times that lie behind, every sync uploads everything again.

    Fix: list in UTF-8 byte order; encode keys with encoding-type=url; LastModified is the time of the upload, in UTC.
    """
    stored(s3, TREE)
    nothing_sent(s3, up(s3, written(s3.folder, TREE)))
    holds(s3, keyed(s3, TREE))


@scenario(
    "AWSCLI-019",
    MUST,
    "ListObjectsV2",
    "GetObject",
    source="AWS CLI reference, s3 sync, page-size; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_down(s3: Scene) -> None:
    """`aws s3 sync s3://… FOLDER` fetches every object below a prefix, over several pages of the listing.

    S3 promises: a truncated page has a NextContinuationToken; GetObject gives the stored bytes.

    Breaks: restores: what is on a page that is never shown is lost without a word.

    Fix: a token that leads to the first key not yet listed; IsTruncated as long as there is one.
    """
    stored(s3, TREE)
    folder = s3.folder
    fetched(s3, down(s3, folder, "--page-size", "2"), folder, TREE)


@scenario(
    "AWSCLI-041",
    SHOULD,
    "ListObjectsV2",
    "GetObject",
    source="AWS CLI reference, s3 sync; wire measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_down_again(s3: Scene) -> None:
    """`aws s3 sync s3://… FOLDER` of what was fetched before sends one listing and not one download.

    S3 promises: a listing in the order of UTF-8 bytes; sizes and times that are the same until the object changes.

    Breaks: mirrors that are kept by a timer: with another order, or names that are encoded, each round transfers
    everything.

    Fix: list in UTF-8 byte order; encode keys with encoding-type=url; keep the time of the upload.
    """
    stored(s3, TREE)
    folder = s3.folder
    fetched(s3, down(s3, folder), folder, TREE)
    nothing_sent(s3, down(s3, folder))


@scenario(
    "AWSCLI-051",
    EXTENDED,
    "ListObjectsV2",
    "GetObject",
    source="AWS CLI reference, s3 sync, exact-timestamps; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_down_again_by_exact_time(s3: Scene) -> None:
    """`aws s3 sync s3://… FOLDER --exact-timestamps` of what was fetched before fetches nothing.

    S3 promises: LastModified of an object is in whole seconds and does not change until the object does.

    Breaks: mirrors that trust the time: the CLI gives its files whole seconds, so that a fraction of a second in a
    listing makes every file another one.

    Fix: round LastModified to a second when the object is stored, and show it as …00.000Z.
    """
    stored(s3, TREE)
    folder = s3.folder
    fetched(s3, down(s3, folder), folder, TREE)
    nothing_sent(s3, down(s3, folder, "--exact-timestamps"))


@scenario(
    "AWSCLI-021",
    SHOULD,
    "ListObjectsV2",
    "PutObject",
    source="AWS CLI reference, s3 sync, size-only; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_size_only(s3: Scene) -> None:
    """`aws s3 sync --size-only` uploads files of another size, and no others, however new they are.

    S3 promises: a listing shows the size of each object in bytes.

    Breaks: sites that are built anew each time, so that all files are new: without right sizes all of them are sent.

    Fix: Size is the number of bytes that GetObject gives, also for multipart uploads and encrypted objects.
    """
    stored(s3, {"same": b"0123", "other": b"01"})
    folder = written(s3.folder, {"same": b"abcd", "other": b"abcd"}, age=-HOUR)
    run = up(s3, folder, "--size-only")
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    holds(s3, keyed(s3, {"same": b"0123", "other": b"abcd"}))


@scenario(
    "AWSCLI-042",
    SHOULD,
    "ListObjectsV2",
    "PutObject",
    source="AWS CLI reference, s3 sync; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_newer(s3: Scene) -> None:
    """`aws s3 sync` uploads a file of the same size if it is newer than its object, and leaves an older one alone.

    S3 promises: LastModified in a listing is the time of the upload, in UTC.

    Breaks: configuration files changed by a single digit: with a time that lies ahead they are never sent.

    Fix: LastModified in UTC, with a Z; no local time, no time of the request.
    """
    stored(s3, {"newer": b"old", "older": b"old"})
    folder = written(s3.folder, {"newer": b"new"}, age=-HOUR)
    run = up(s3, written(folder, {"older": b"new"}))
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    holds(s3, keyed(s3, {"newer": b"new", "older": b"old"}))


@scenario(
    "AWSCLI-022",
    SHOULD,
    "ListObjectsV2",
    "GetObject",
    source="AWS CLI reference, s3 sync, exact-timestamps; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_exact_timestamps(s3: Scene) -> None:
    """`aws s3 sync` leaves a file that is older than its object and as large; with --exact-timestamps it fetches it.

    S3 promises: LastModified in a listing is the time of the upload, in UTC, whoever asks and whenever.

    Breaks: checkouts of files whose size never changes: by default, only a file that is newer than its object is
    fetched again, so a time that lies behind turns that into every file, and one that lies ahead hides a change.

    Fix: one time for an object, in every answer; in listings as ISO 8601 with a Z.
    """
    stored(s3, {"page": b"0123"})
    folder = written(s3.folder, {"page": b"abcd"})
    fetched(s3, down(s3, folder), folder, {"page": b"abcd"})
    fetched(s3, down(s3, folder, "--exact-timestamps"), folder, {"page": b"0123"})


@scenario(
    "AWSCLI-023",
    SHOULD,
    "ListObjectsV2",
    source="AWS CLI reference, s3 sync, dryrun; wire measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_dryrun(s3: Scene) -> None:
    """`aws s3 sync --delete --dryrun` says what it would do from one listing, and changes nothing.

    S3 promises: a listing names every object; sync needs nothing else to know what differs.

    Breaks: whoever looks before a sync that deletes; what is missing in the listing is missing in the plan.

    Fix: list what is there, with its size and time.
    """
    there = {"gone": b"0", "same": b"00"}
    stored(s3, there)
    run = up(s3, written(s3.folder, {"new": b"0", "same": b"00"}), "--delete", "--dryrun")
    done(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    words = [line.split(": ")[0] for line in run.stdout.splitlines()]
    expected = ["(dryrun) delete", "(dryrun) upload"]
    s3.check(sorted(words) == expected, f"the plan {expected}", f"it printed {run.stdout!r}", run)
    s3.expect(run, *(prints(f"s3://{s3.bucket}/{s3.key(name)}") for name in ("gone", "new")))
    sent = operations(s3, run)
    s3.check(sent == ["ListObjectsV2"], "one ListObjectsV2 and nothing else", f"it sent {sent}", run)
    holds(s3, keyed(s3, there))


@scenario(
    "AWSCLI-024",
    SHOULD,
    "ListObjectsV2",
    "GetObject",
    source="AWS CLI reference, use of exclude and include filters; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_filters(s3: Scene) -> None:
    """`aws s3 sync --exclude '*' --include 'a+b/*'` fetches what the filters let through, and no more.

    S3 promises: a listing shows keys as they are, and says with EncodingType whether it encoded them; the filters are
    matched against the keys.

    Breaks: whoever restores a part of a backup: keys with a plus sign come as keys with a space, and match no more.

    Fix: encode keys when encoding-type=url is asked for, a plus sign as %2B, and say so with EncodingType.
    """
    chosen = {"a+b/one": b"1", "a+b/c d/two": b"2"}
    stored(s3, TREE | chosen)
    folder = s3.folder
    fetched(s3, down(s3, folder, "--exclude", "*", "--include", "a+b/*"), folder, chosen)


@scenario(
    "AWSCLI-043",
    SHOULD,
    "ListObjectsV2",
    "CopyObject",
    source="AWS CLI reference, s3 sync; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def sync_across(s3: Scene) -> None:
    """`aws s3 sync s3://… s3://…` copies within the server what the target lacks.

    S3 promises: CopyObject copies the data of a key that x-amz-copy-source names, percent-encoded.

    Breaks: copies of a bucket that are kept up to date: keys with plus signs, spaces or accents are not found.

    Fix: decode x-amz-copy-source once, as UTF-8, and leave plus signs as they are.
    """
    source = {f"from/{name}": content for name, content in TREE.items()}
    target = {f"to/{name}": content for name, content in TREE.items()}
    stored(s3, source | {"to/a.txt": TREE["a.txt"]})
    base = f"s3://{s3.bucket}/{s3.prefix}"
    run = s3.program("s3", "sync", f"{base}from", f"{base}to", "--no-progress")
    one = s3.key("from/a/c d+e%20.txt")
    done(s3, run, "CopyObject", Key=s3.key("to/a/c d+e%20.txt"), CopySource=copy_source(s3, one))
    holds(s3, keyed(s3, source | target))
