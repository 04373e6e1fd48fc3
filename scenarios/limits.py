"""LIM: limits of keys, bucket names, metadata and tags, as AWS states them. Of requests: `limits_requests`."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, keys, ok, one_of, refused
from harness.sandbox import creation
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import ordered
from scenarios._tags import keeps_tags, numbered
from scenarios.copies import planted
from scenarios.meta import has_metadata
from scenarios.mpu import nothing_stored, read_back

MAX_KEY = 1024
"""Bytes of the longest key, as UTF-8."""

MAX_METADATA = 2048
"""Bytes of names and values of user metadata together."""

_MAX_NAME = 63
"""Characters of the longest name of a bucket."""

_NAMING = "AWS documentation, Naming Amazon S3 objects"
_METADATA = "AWS documentation, Working with object metadata"
_SEGMENT = 200
"""Bytes between two slashes of a long key, below what file systems allow a name to have: that is LIM-004's question."""


def long_key(s3: Scene, size: int, letter: str = "k") -> str:
    """A key of this cell's own of `size` bytes, in segments, mostly of one letter."""
    key, room = s3.prefix, size - len(s3.prefix.encode())
    width = len(letter.encode())
    while room > _SEGMENT + 1:
        segment = letter * (_SEGMENT // width)
        key += segment + "/"
        room -= len(segment.encode()) + 1
    return key + letter * (room // width) + "x" * (room % width)


@scenario(
    "LIM-001",
    MUST,
    "PutObject",
    "GetObject",
    "ListObjectsV2",
    "DeleteObject",
    source=_NAMING,
    confidence="partly unverified",
)
def longest_key(s3: Scene) -> None:
    """An object whose key has 1024 bytes can be written, read, listed and deleted.

    S3 promises: a key is a text of up to 1024 bytes, and the longest works in every operation.

    Breaks: backups of deep folder trees (rclone, restic, `aws s3 sync`): the one file with the longest path fails,
    often only after the rest was transferred.

    Fix: size the key column, path buffers and request lines for 1024 bytes, which are 3072 when percent-encoded.
    """
    key, content = long_key(s3, MAX_KEY), b"far down"
    s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
    s3.expect(s3.call("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([key]))
    s3.expect(s3.look("DeleteObject", Key=key), ok(204))
    nothing_stored(s3, key)


@scenario(
    "LIM-002",
    SHOULD,
    "PutObject",
    "GetObject",
    source=_NAMING + "; AWS documentation, Error responses",
    confidence="partly unverified",
    clients=LIBRARIES,
)
def key_too_long(s3: Scene) -> None:
    """A key of 1025 bytes is refused with 400 KeyTooLongError, and cannot be read.

    S3 promises: one byte more than 1024 is an error of its own, and nothing is stored, under no shortened name
    either. What the error says beside its code is META-018; a read may as well find that there is no such key.

    Breaks: a store that cuts keys lets two long names overwrite each other; one that takes them cannot be copied to
    another S3 later; SDKs retry a 500 several times.

    Fix: measure the decoded key before anything else, and refuse above 1024 bytes.
    """
    key = long_key(s3, MAX_KEY + 1)
    refusal = refused(400, "KeyTooLongError")
    s3.expect(s3.call("PutObject", Key=key, Body=b"too far"), refusal)
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([]))
    s3.expect(s3.call("PutObject", Key=key[:-1], Body=b"just there"), ok())
    s3.expect(s3.call("GetObject", Key=key), one_of(refusal, refused(404, "NoSuchKey")))


@scenario(
    "LIM-003",
    SHOULD,
    "PutObject",
    "GetObject",
    source=_NAMING,
    confidence="partly unverified",
    clients=LIBRARIES,
)
def key_is_measured_in_bytes(s3: Scene) -> None:
    """The limit of a key counts its bytes in UTF-8, neither its characters nor its percent-encoded form.

    S3 promises: letters beyond ASCII count as the two to four bytes that UTF-8 has for them. A key of 1024 such
    bytes works, and one of 1025 is refused with KeyTooLongError although it has far fewer characters.

    Breaks: file names in Cyrillic, Greek, Arabic or Chinese: counted in their encoded form they may only be a third
    as long, and counted in characters they overflow whatever holds 1024 bytes.

    Fix: measure after percent-decoding and before decoding UTF-8.
    """
    for letter in ("é", "文"):
        key = long_key(s3, MAX_KEY, letter)
        s3.expect(s3.call("PutObject", Key=key, Body=letter.encode()), ok())
        s3.expect(s3.call("GetObject", Key=key), ok(), body(letter.encode()))
        longer = s3.call("PutObject", Key=key + "x", Body=b"too far")
        s3.expect(longer, refused(400, "KeyTooLongError"))
        nothing_stored(s3, key[:-1])


@scenario(
    "LIM-004",
    SHOULD,
    "PutObject",
    "GetObject",
    source=_NAMING,
    confidence="partly unverified",
)
def name_without_slash(s3: Scene) -> None:
    """A key may be long without a slash: what stands between two slashes has no limit of its own.

    S3 promises: a slash is a character like any other. A name of 900 bytes in one piece is a key like one that is
    made of folders.

    Breaks: stores on file systems, where a name has at most 255 bytes, lose what names itself by long digests, URLs
    or queries: caches, crawlers, Spark and Hive partitions with several columns.

    Fix: do not map a key's segments to file names one to one; hash or split what is longer than a file name.
    """
    key, content = s3.key("n" * 900), b"one long name"
    s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.call("GetObject", Key=key), ok(), body(content))


@scenario(
    "LIM-005",
    SHOULD,
    "ListObjectsV2",
    source=_NAMING + "; AWS documentation, ListObjectsV2",
    confidence="partly unverified",
    clients=(*CALLERS, "rclone"),
)
def pages_of_long_keys(s3: Scene) -> None:
    """A listing goes on behind a key of 1024 bytes: tokens, prefixes and start-after may be as long as keys.

    S3 promises: whatever key ends a page, the token leads to the next one, and a key of full length can be the
    prefix or the start of a listing.

    Breaks: a token that holds the key in base64 and is then percent-encoded has over 4000 characters; proxies and
    routers with shorter limits for a URL end every listing at the first deep folder (rclone, `aws s3 sync`).

    Fix: keep tokens short (an offset, a digest, a row number), and allow request lines of 8 KB.
    """
    planted_keys = [long_key(s3, MAX_KEY, letter) for letter in ("b", "文", "z")]
    for key in planted_keys:
        s3.put(key)
    s3.expect(s3.list_all(2, Prefix=s3.prefix, MaxKeys=1), ok(), keys(ordered(planted_keys)))
    last = ordered(planted_keys)[-1]
    if not s3.costly:
        s3.expect(s3.call("ListObjectsV2", Prefix=last), ok(), keys([last]))
        s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix, StartAfter=ordered(planted_keys)[1]), ok(), keys([last]))


def of_size(size: int, entries: int = 1) -> dict[str, str]:
    """User metadata of so many bytes, names and values together, in so many entries."""
    names = [f"entry-{number:02}" for number in range(entries)]
    room = size - sum(map(len, names))
    values = [room // entries] * entries
    values[0] += room % entries
    return {name: "v" * length for name, length in zip(names, values, strict=True)}


@scenario(
    "LIM-006",
    SHOULD,
    "CreateMultipartUpload",
    "CopyObject",
    source=_METADATA + "; AWS documentation, Error responses",
    confidence="partly unverified",
    clients=LIBRARIES,
)
def metadata_of_other_writes(s3: Scene) -> None:
    """The 2 KB of user metadata are the limit of multipart uploads and copies too: 400 MetadataTooLarge above them.

    S3 promises: whatever writes the object, names and values have at most 2048 bytes together. CreateMultipartUpload
    says so at the start, not Complete at the end. (PutObject is META-004.)

    Breaks: an object with more metadata can be written in parts and then not copied or moved to another S3; clients
    that read it meet header limits of proxies and of their HTTP library.

    Fix: check the size where metadata is read from the headers, in one place for all three writes.
    """
    source, target = planted(s3), s3.key("target")
    most, more = of_size(MAX_METADATA), of_size(MAX_METADATA + 1)
    copy = {"Key": target, "CopySource": source, "MetadataDirective": "REPLACE"}
    s3.expect(s3.call("CreateMultipartUpload", Key=target, Metadata=more), refused(400, "MetadataTooLarge"))
    s3.expect(s3.call("CopyObject", **copy, Metadata=more), refused(400, "MetadataTooLarge"))
    nothing_stored(s3, target)
    s3.expect(s3.call("CreateMultipartUpload", Key=target, Metadata=most), ok())
    s3.expect(s3.call("CopyObject", **copy, Metadata=most), ok())
    s3.expect(s3.look("HeadObject", Key=target), ok(), has_metadata(most))


@scenario(
    "LIM-007",
    SHOULD,
    "PutObject",
    source=_METADATA,
    confidence="partly unverified",
    clients=CALLERS,  # others add entries of their own
)
def many_entries(s3: Scene) -> None:
    """The 2 KB of user metadata may be spread over many entries: twenty of them come back complete.

    S3 promises: only the sum of all names and values counts; the prefix x-amz-meta- does not, and neither does the
    number of entries.

    Breaks: rclone's --metadata and s3cmd keep owner, mode, times and digests, each in an entry of its own; data
    catalogues keep dozens. A limit on their number drops some, or refuses the object.

    Fix: add up the bytes of names and values; do not count entries.
    """
    values = of_size(MAX_METADATA, 20)
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=b"described", Metadata=values), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(values))
    s3.expect(s3.call("HeadObject", Key=key), ok(), has_metadata(values))


@scenario(
    "LIM-008",
    MUST,
    "CreateBucket",
    "PutObject",
    source="AWS documentation, General purpose bucket naming rules",
    confidence="partly unverified",
)
def longest_bucket_name(s3: Scene) -> None:
    """A bucket whose name has 63 characters can be created and used.

    S3 promises: names have 3 to 63 characters, and the longest is as good as any. (Which names are refused is
    BKT-006.)

    Breaks: tools that build names from account, region and purpose (AWS CDK, CloudFormation, serverless) fill the
    limit; a gateway that puts a prefix of its own before the name allows less than it says.

    Fix: keep the gateway's additions out of what is measured; 63 is the length of a host name's label.
    """
    bucket = s3.bucket_name("-n")
    while len(bucket) != _MAX_NAME:  # a name has a number in it, which may get a digit more
        bucket = s3.bucket_name("-" + "n" * (_MAX_NAME - len(bucket.rpartition("-")[0]) - 1))
    s3.expect(s3.call("CreateBucket", **creation(bucket, s3.witness.region)), ok())
    s3.expect(s3.call("PutObject", Bucket=bucket, Key="k", Body=b"in a long name"), ok())
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="k"), ok(), body(b"in a long name"))


@scenario(
    "LIM-009",
    SHOULD,
    "PutObject",
    source="AWS documentation, Categorizing your objects using tags",
    confidence="partly unverified",
    clients=LIBRARIES,
)
def tags_in_header(s3: Scene) -> None:
    """x-amz-tagging takes ten tags; with eleven the upload is refused with 400, and nothing is stored.

    S3 promises: an object has at most ten tags, whichever way they come. The code is BadRequest where it was
    recorded (for PutObjectTagging, TAG-007); InvalidTag, which Ceph's suite expects, is accepted and noted.

    Breaks: a gateway that drops the eleventh tag loses the one that a policy or a lifecycle rule looks for, and no
    client notices.

    Fix: parse the header before the body is read, and hold it to the same rules as a tag document.
    """
    key, ten = s3.key(), numbered(10)
    header = "&".join(f"{tag['Key']}={tag['Value']}" for tag in numbered(11))
    refusal = s3.call("PutObject", Key=key, Body=b"tagged", Tagging=header)
    s3.expect(refusal, one_of(refused(400, "BadRequest"), refused(400, "InvalidTag")))
    s3.note(f"answered 400 {refusal.code}")
    nothing_stored(s3, key)
    s3.expect(s3.call("PutObject", Key=key, Body=b"tagged", Tagging=header.rpartition("&")[0]), ok())
    keeps_tags(s3, key, ten)
    read_back(s3, key, b"tagged")
