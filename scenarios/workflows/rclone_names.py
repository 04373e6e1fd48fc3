"""Names that rclone stores: folders without files, unusual names, and how long a name may be."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import body, keys, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import OWN_BUCKET, printed, remote
from scenarios.workflows._steps import files, found, holds, lines, sent

MARKERS = "--s3-directory-markers"

NAMES = (
    *("with space", "a+b", "50%25.txt", "a&b<c>.xml", "'quoted' \"twice\".txt", "#1?.txt", "~tilde", "back\\slash"),
    *(
        "größe/naïve.txt",
        "日本語/漢字.txt",
        "emoji 😀.txt",
        "..hidden",
        "two..dots/...",
        "trailing dot.",
        " leading space",
    ),
)
"""Names that some URL, XML or file system layer takes apart; none that rclone itself writes in another way."""

MAX_KEY = 1024
"""Bytes of UTF-8 in the longest key. Source: Amazon S3, "Naming Amazon S3 objects"."""


@scenario(
    "RCLONE-047",
    SHOULD,
    "PutObject",
    "ListObjects",
    source="rclone documentation, --s3-directory-markers; measured with rclone 1.75.2",
    clients=("rclone",),
)
def directory_markers(s3: Scene) -> None:
    """`rclone mkdir --s3-directory-markers` makes an empty folder, which `rclone lsf` shows.

    S3 promises: a key may end in a slash; such an object may have no bytes, and is listed.

    Breaks: empty folders of a backup, which are lost without it; some gateways drop the slash, or hide such keys.

    Fix: keep keys byte for byte, and store an upload of no bytes.
    """
    s3.expect(s3.program("mkdir", remote(s3, "folder/inner"), MARKERS, OWN_BUCKET), ok())
    listed = s3.look("ListObjectsV2", Prefix=s3.key("folder/inner"))
    s3.expect(listed, ok(), keys([s3.key("folder/inner/")]))
    s3.expect(s3.look("GetObject", Key=s3.key("folder/inner/")), ok(), body(b""))
    for flags in ((MARKERS,), ()):
        printed(s3, s3.program("lsf", remote(s3, "folder/"), *flags), "inner/")


@scenario(
    "RCLONE-048",
    SHOULD,
    "PutObject",
    "ListObjects",
    "GetObject",
    source="Amazon S3, naming of objects; rclone documentation, S3 'Restricted filename characters'; rclone 1.75.2",
    clients=("rclone",),
)
def unusual_names(s3: Scene) -> None:
    """`rclone copy` brings files with unusual names up and down again, each under its own name and with its bytes.

    S3 promises: a key is any sequence of Unicode characters, kept byte for byte.

    Breaks: backups of real folders: a name with a plus, a percent sign or an umlaut is lost, or comes twice.

    Fix: decode the path once, never normalise it, and escape keys properly in listings.
    """
    contents = {name: f"the content of {name}".encode() for name in NAMES}
    run = s3.program("copy", str(files(s3, contents)), remote(s3), OWN_BUCKET)
    s3.expect(run, ok())
    holds(s3, contents)
    target = s3.folder
    s3.expect(s3.program("copy", remote(s3), str(target)), ok())
    _same(s3, found(target), contents)


@scenario(
    "RCLONE-109",
    SHOULD,
    "PutObject",
    "GetObject",
    source="Amazon S3, PutObject; measured with rclone 1.75.2",
    clients=("rclone",),
)
def empty_files(s3: Scene) -> None:
    """`rclone copy` brings empty files up and down again.

    S3 promises: an object may have no bytes at all; its ETag is the MD5 of nothing.

    Breaks: source trees and markers such as _SUCCESS; gateways refuse Content-Length: 0, or lose the object.

    Fix: store a body of no bytes like any other.
    """
    contents = {"empty": b"", "sub/_SUCCESS": b"", "sub/one": b"1"}
    s3.expect(s3.program("copy", str(files(s3, contents)), remote(s3), OWN_BUCKET), ok())
    holds(s3, contents)
    target = s3.folder
    s3.expect(s3.program("copy", remote(s3), str(target)), ok())
    _same(s3, found(target), contents)


@scenario(
    "RCLONE-110",
    SHOULD,
    "PutObject",
    "ListObjects",
    "GetObject",
    source="Amazon S3, naming of objects (1024 bytes of UTF-8); measured with rclone 1.75.2",
    clients=("rclone",),
)
def long_key(s3: Scene) -> None:
    """`rclone copy` brings a file whose key has 900 bytes up and down again.

    S3 promises: a key may have up to 1024 bytes of UTF-8, whatever its slashes.

    Breaks: deep trees; stores that keep objects as files end at 255 bytes a name, or at the path limit.

    Fix: do not make keys into file names, or map long ones.
    """
    name = "/".join(["é" * 100, "b" * 200, "c" * 200, "d" * 200])
    name += "/" + "e" * (899 - len(s3.key(name).encode()))
    contents = {name: b"a long way down"}
    s3.expect(s3.program("copy", str(files(s3, contents)), remote(s3), OWN_BUCKET), ok())
    holds(s3, contents)
    target = s3.folder
    s3.expect(s3.program("copy", remote(s3), str(target)), ok())
    _same(s3, found(target), contents)


@scenario(
    "RCLONE-049",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="rclone documentation, test info; Amazon S3, naming of objects; measured with rclone 1.75.2",
    clients=("rclone",),
)
def limits_of_names(s3: Scene) -> None:
    """`rclone test info --check-length --check-normalization` finds the limit of 1024 bytes and keys left as they are.

    S3 promises: a key has at most 1024 bytes of UTF-8, a longer one is refused with 400 KeyTooLongError; keys are
    never normalised, so that two ways to write é are two keys.

    Breaks: whoever chooses rclone's settings by what it measured. A store that takes longer keys and cuts them, or
    that refuses them with 500, makes names collide.

    Fix: count bytes of UTF-8, refuse the 1025th with 400, and compare keys byte for byte.
    """
    flags = ("--check-length", "--check-normalization", OWN_BUCKET)
    run = s3.program("test", "info", *flags, remote(s3, "info"))
    room = MAX_KEY - len(s3.key("info/").encode()) - _own_folder(s3, run)
    lengths = (f"maxFileLength = {room // size} // for {size} byte unicode characters" for size in (1, 2, 3, 4))
    left_alone = ("canWriteUnnormalized = true", "canReadUnnormalized = true", "canReadRenormalized = false")
    shown = [" ".join(line.split()) for line in lines(run) if not line.startswith("//")]
    s3.check(shown == [*lengths, *left_alone], f"a limit of {MAX_KEY} bytes", f"it printed {shown}", run)
    longest = s3.key("k" * (MAX_KEY - len(s3.key("").encode())))
    s3.expect(s3.look("PutObject", Key=longest, Body=b"long"), ok())
    s3.expect(s3.look("GetObject", Key=longest), ok(), body(b"long"))
    s3.expect(s3.look("PutObject", Key=longest + "k", Body=b"too long"), refused(400, "KeyTooLongError"))


def _own_folder(s3: Scene, run: Observed) -> int:
    """Bytes of the name, with its slash, of the folder that `rclone test info` makes for itself."""
    if not run.exchanges:
        return len("rclone-test-info-zecozaj1/")
    puts = [what.key.removeprefix(s3.key("info/")) for what, _ in sent(s3, run, "PutObject")]
    s3.check(bool(puts), "rclone tries names", "it sent no PutObject", run)
    return len(puts[0].partition("/")[0].encode()) + 1


def _same(s3: Scene, came: dict[str, bytes], contents: dict[str, bytes]) -> None:
    s3.check(came == contents, f"the files {sorted(contents)!r}", f"there are {sorted(came)!r}, or other bytes")
