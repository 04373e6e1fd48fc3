"""META: metadata, headers and object keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.clients.base import Observed
from harness.expect import Matcher, body, if_shown, keys, no_body, no_header, ok, refused
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible

_PREFIX = "x-amz-meta-"

SPECIAL = (
    "with space",
    "with+plus",
    "a&b",
    "a=b",
    "user@host",
    "#hash",
    "a:b",
    "a,b",
    "~tilde",
    "[square](round){curly}",
    "Grüße-ñ-日本語",
)
"""Names with characters that URLs, signatures, forms and XML treat specially."""

ALL_SPECIAL = ("#a b+c&d=e@f:g,h~i[j](k){l} Grüße-日本語",)
"""The same characters in one name, for clients whose calls are costly."""


def has_metadata(expected: Mapping[str, str]) -> Matcher:
    """User metadata with these values; the letter case of names is not looked at, further names do not matter."""

    def test(seen: Observed) -> str:
        found = {name.lower(): value for name, value in _metadata(seen).items()}
        return "" if expected.items() <= found.items() else f"metadata was {found!r}"

    return Matcher(f"metadata {dict(expected)!r}", test)


def lacks_metadata(*names: str) -> Matcher:
    """None of these names in the user metadata."""

    def test(seen: Observed) -> str:
        left = {name: value for name, value in _metadata(seen).items() if name.lower() in names}
        return f"metadata still has {left!r}" if left else ""

    return Matcher(f"no metadata named {', '.join(names)}", test)


def lower_case_names() -> Matcher:
    """Names of user metadata in lower case as they came."""

    def test(seen: Observed) -> str:
        wrong = [name for name in _metadata(seen) if name != name.lower()]
        return f"names were {wrong!r}" if wrong else ""

    return Matcher("names of user metadata in lower case", test)


def _metadata(seen: Observed) -> Mapping[str, str]:
    """User metadata with names in the letter case that came; `raw` keeps it in the header lines only."""
    if seen.client == "raw":
        lines = seen.exchanges[-1].response_headers if seen.exchanges else []
        return {name[len(_PREFIX) :]: value for name, value in lines if name.lower().startswith(_PREFIX)}
    found: Mapping[str, str] | None = seen.output.get("Metadata")
    if found is None and seen.partial:
        raise Inexpressible(f"{seen.client} does not show user metadata")
    return found or {}


def put_all(s3: Scene, names: Iterable[str]) -> dict[str, bytes]:
    """Objects stored by the client under test, each with bytes of its own; content by key."""
    contents = {s3.key(name): f"content of {name!r}".encode() for name in names}
    for key, content in contents.items():
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
    return contents


def look_at_all(s3: Scene, contents: Mapping[str, bytes]) -> None:
    """Exactly these objects are there, by their bytes and by their names in a listing."""
    for key, content in contents.items():
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    listed = s3.look("ListObjectsV2", Prefix=s3.prefix)
    if not listed.ok:
        listed = s3.look("ListObjects", Prefix=s3.prefix)
    s3.expect(listed, ok(), keys(sorted(contents, key=str.encode)))


def get_all(s3: Scene, contents: Mapping[str, bytes]) -> None:
    """The client under test reads each of them back; a costly one only the last."""
    for key, content in list(contents.items())[-1 if s3.costly else 0 :]:
        s3.expect(s3.call("GetObject", Key=key), ok(), body(content))


@scenario(
    "META-001",
    MUST,
    "PutObject",
    "HeadObject",
    source="versitygw test PutObject - metadata keys are made lowercase; "
    "LocalStack test_head_object_fields (recorded on AWS)",
)
def metadata_names_in_lower_case(s3: Scene) -> None:
    """Names of x-amz-meta-* headers come back in lower case, their values unchanged.

    S3 promises: user metadata is stored under names in lower case, however the writer spelled them, and the
    answers spell them so too. Values keep their letter case.

    Breaks: boto3 and the AWS CLI hand the name on as it came, so that code that reads Metadata["sha256"] finds
    nothing when a gateway answers with X-Amz-Meta-Sha256 (minio/minio#6471, boto/botocore#1963).

    Fix: lower the names when storing, and write the header lines yourself: many HTTP libraries, Go's among them,
    capitalise names unless told otherwise.
    """
    values = {"mixedcase": "Some Value: MiXeD", "lower": "1"}
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=b"x", Metadata={"MixedCase": "Some Value: MiXeD", "lower": "1"}), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(values), lower_case_names())
    s3.expect(s3.call("HeadObject", Key=key), ok(), has_metadata(values), lower_case_names())


@scenario(
    "META-002",
    MUST,
    "PutObject",
    source="LocalStack test_s3_copy_content_type_and_metadata (recorded on AWS); "
    "ceph/s3-tests test_object_set_get_metadata_none_to_good",
)
def metadata_survives(s3: Scene) -> None:
    """Several metadata entries, empty values and values with punctuation come back as they were stored.

    S3 promises: every x-amz-meta-* header of the write is kept, also one without a value, and its text is not
    interpreted: commas, quotes, percent signs and semicolons mean nothing.

    Breaks: rclone keeps modification times and owners here, s3cmd its attributes, backup tools their keys. A lost
    entry makes rclone copy again; a value split at its comma or percent-decoded is corrupt.

    Fix: store pairs of name and text; an empty text is a value; do not split, trim inside, or decode.
    """
    values = {
        "first": "1",
        "second": "two words",
        "empty": "",
        "punctuation": "a,b;c=\"d\" (e) [f] <g> & h/i?j+k~l%20m 'n'!",
    }
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=b"x", Metadata=values), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(values))
    s3.expect(s3.look("GetObject", Key=key), ok(), has_metadata(values))
    s3.expect(s3.call("HeadObject", Key=key), ok(), has_metadata(values))


@scenario(
    "META-003",
    MUST,
    "PutObject",
    source="ceph/s3-tests test_object_set_get_metadata_overwrite_to_empty",
    confidence="secondary",
)
def overwrite_drops_metadata(s3: Scene) -> None:
    """Overwriting an object without metadata drops the metadata of the earlier object.

    S3 promises: a write replaces the whole object. What the new request does not say is not there afterwards;
    nothing is merged with the earlier object.

    Breaks: rclone reads x-amz-meta-mtime and md5chksum: left over from the earlier object they give new bytes an
    old time and a wrong digest, so that rclone check fails and sync skips or repeats files.

    Fix: create the attributes of an object from the request alone, also when the key exists already.
    """
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=b"old", Metadata={"color": "red"}), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata({"color": "red"}))
    s3.expect(s3.call("PutObject", Key=key, Body=b"new bytes"), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(b"new bytes"), lacks_metadata("color"))
    s3.expect(s3.call("HeadObject", Key=key), ok(), lacks_metadata("color"))


@scenario(
    "META-009",
    MUST,
    "PutObject",
    "GetObject",
    source="LocalStack test_put_and_get_object_with_utf8_key, test_put_and_get_object_with_hash_prefix and "
    "test_put_get_object_special_character (recorded on AWS)",
)
def special_characters_in_keys(s3: Scene) -> None:
    """Keys with spaces, punctuation that URLs treat specially, and non-ASCII letters round trip byte for byte.

    S3 promises: a key is any UTF-8 text. In the path of a request it is percent-encoded once; "+" there means a
    plus sign, and the name that is listed and read is exactly the name that was written.

    Breaks: every sync tool: file names have spaces, plus signs, hashes and umlauts. rclone and `aws s3 sync` upload
    a file again on every run, or delete it, when the listing shows another name than they wrote.

    Fix: take the raw request target, percent-decode the path once, never as a form ("+" is no space), and neither
    normalise Unicode nor cut at "#", ";" or ":". Escape "&" and "<" in XML.
    """
    contents = put_all(s3, ALL_SPECIAL if s3.costly else SPECIAL)
    look_at_all(s3, contents)
    get_all(s3, contents)


@scenario(
    "META-010",
    MUST,
    "PutObject",
    "GetObject",
    source="LocalStack test_put_get_object_special_character and test_url_encoded_key (recorded on AWS)",
)
def percent_signs_in_keys(s3: Scene) -> None:
    """A key with a literal "%2F" or "%123" is another key than its decoded form.

    S3 promises: a percent sign in a key is sent as %25 and decoded once. The key "x%2Fy" has five characters and no
    slash; it and "x/y" exist side by side.

    Breaks: tools that store escaped names, such as Hive and Spark with partitions like dt=2024%2F01. Where a proxy
    or router decodes twice, one file overwrites the other or a read finds nothing.

    Fix: decode exactly once; check that the web framework or reverse proxy in front has not already decoded or
    merged "%2F" in the path.
    """
    literal = put_all(s3, ("x%2Fy", "test%123"))
    look_at_all(s3, literal)
    for decoded in ("x/y", "test\x123"):
        s3.expect(s3.look("GetObject", Key=s3.key(decoded)), refused(404))
    if not s3.costly:
        look_at_all(s3, literal | put_all(s3, ("x/y",)))
    get_all(s3, literal)


@scenario(
    "META-011",
    MUST,
    "PutObject",
    source="LocalStack test_put_get_object_special_character (recorded on AWS)",
)
def emoji_in_keys(s3: Scene) -> None:
    """A key with characters of four UTF-8 bytes, such as emoji, can be stored, read and listed.

    S3 promises: keys hold any Unicode character. Those beyond the basic plane are four bytes of UTF-8, in the
    percent-encoded path and in the listing.

    Breaks: photo and chat archives; sync tools stop on a listing that is not well-formed, or delete the file that
    they cannot find under its name. Typical are databases with three-byte UTF-8 and XML written as surrogates.

    Fix: keep keys as bytes or in a column that takes all of UTF-8; write XML as UTF-8, or with one reference for
    the whole character.
    """
    contents = put_all(s3, ("smile-😀/🎉.txt",))
    look_at_all(s3, contents)
    get_all(s3, contents)
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys(contents))


@scenario(
    "META-012",
    MUST,
    "PutObject",
    "GetObject",
    source="LocalStack test_put_get_object_single_character_trailing_slash and "
    "test_put_get_object_special_character (recorded on AWS)",
)
def trailing_slash_is_part_of_key(s3: Scene) -> None:
    """Trailing slashes are part of the key: "a", "a/" and "a//" are three objects.

    S3 promises: there are no directories. A slash is a character of the key wherever it stands, and an object
    whose key ends in one has bytes like any other.

    Breaks: consoles, Hadoop's S3A and rclone's directory markers store "a/" beside "a". Gateways that strip or merge
    slashes overwrite one object with another and answer both writes with 200.

    Fix: never clean paths; keep keys in an index of their own when the storage below is a file system, and turn
    off merging of slashes in reverse proxies.
    """
    contents = put_all(s3, ("a", "a/", "a//"))
    look_at_all(s3, contents)
    get_all(s3, contents)


@scenario(
    "META-015",
    MUST,
    "PutObject",
    source="AWS documentation, Naming Amazon S3 objects (flat structure)",
)
def key_below_a_key(s3: Scene) -> None:
    """An object and objects whose keys continue it after a slash exist at once, in either order of writing.

    S3 promises: the key space is flat. "a/b" says nothing about "a"; both can be objects.

    Breaks: Hadoop's directory markers, backups that store "host" and "host/disk", copies from other stores by rclone
    or `aws s3 sync`. A gateway on a file system refuses the second write, or makes the first object unreadable.

    Fix: do not map keys to paths of a file system one to one; if you must, escape names so that a file and a
    folder of one name can stand side by side.
    """
    contents = put_all(s3, ("a/b", "a") if s3.costly else ("a/b", "a", "a/b/c"))
    look_at_all(s3, contents)
    get_all(s3, contents)


@scenario(
    "META-019",
    MUST,
    "PutObject",
    source="LocalStack test_s3_uppercase_key_names (recorded on AWS)",
)
def keys_are_case_sensitive(s3: Scene) -> None:
    """Keys that differ only in letter case are different objects.

    S3 promises: keys are compared byte by byte. "Key" and "key" are two objects, and "KEY" does not exist because
    of them.

    Breaks: source trees and mail folders with README and readme: on a case-insensitive store the second upload of
    rclone or `aws s3 sync` silently overwrites the first.

    Fix: use a binary collation for keys in databases, and a case-sensitive volume or escaped names on file systems.
    """
    contents = put_all(s3, ("Key", "key"))
    look_at_all(s3, contents)
    get_all(s3, contents)
    s3.expect(s3.look("GetObject", Key=s3.key("KEY")), refused(404))


@scenario(
    "META-020",
    MUST,
    "PutObject",
    source="versitygw REST test chunked upload, success (null bytes)",
)
def bytes_are_not_text(s3: Scene) -> None:
    """A body with newlines, NUL bytes, CRLF and every other byte value is stored unchanged.

    S3 promises: an object is a sequence of bytes. Nothing in it is a terminator, a line ending to convert, a
    character set to decode or a chunk header to interpret.

    Breaks: every binary upload. Clients that verify (rclone, restic) report corruption, the others store it: an
    archive or image that cannot be opened any more.

    Fix: treat bodies as bytes end to end; read exactly Content-Length bytes, and take off aws-chunked framing only
    when the request declares it.
    """
    framing = b"\n\r\n0\r\n\r\nb;chunk-signature=0\r\nnot framing\r\n"
    content = b"\r\n\x00" + bytes(range(256)) * 4 + framing + b"\xff\xfe\x00\r\n"
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.call("GetObject", Key=key), ok(), body(content))


@scenario(
    "META-021",
    MUST,
    "PutObject",
    source="LocalStack test_response_structure (recorded on AWS)",
)
def put_answers_without_body(s3: Scene) -> None:
    """The answer to PutObject has an empty body and no Content-Type.

    S3 promises: PutObject says all it has to say in headers: status 200, ETag, no body and so no Content-Type.

    Breaks: strict clients and proxies that parse an answer by its Content-Type; a body that a client does not
    read stays on the kept connection, where it is taken for the beginning of the next answer.

    Fix: send Content-Length: 0 and switch off the Content-Type that web frameworks add by default.
    """
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=b"x"), ok(), no_header("Content-Type"), if_shown(no_body()))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(b"x"))
