"""GEN: keys, metadata, headers and tags that are generated: what is stored comes back as it was."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import quote

from harness.expect import body, keys, metadata, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._generated import generate, quoted
from scenarios._listing import ordered
from scenarios._tags import keeps_tags, tag_set, tags
from scenarios.copies import source_of
from scenarios.get import said

READERS = ("raw", "boto3")

PIECES = (
    *("a", "B", "1", "/", "-", "_", ".", " ", "+", "%2F", "%", "&", "=", "@", "#", ":", ",", "~", ";", "?", "!", "$"),
    *("*", "'", '"', "(", ")", "[", "]", "{", "}", "<", ">", "&amp;", "é", "ß", "日", "\U0001f600"),
)
"""What keys are put together from: letters, what URLs, forms and XML treat specially, and letters of 2 to 4 bytes.
Control characters and what S3 advises against without a record of how it behaves are left out."""

PRINTABLE = ("a", "B", "0", "-", "_", ".", ",", ";", ":", "=", "+", "/", "@", "%20", '"', "'", "\\", "&", "<", "(", "*")
"""What header values are put together from. No "?", so that nothing looks like RFC 2047 (META-006)."""


def any_key(st: ModuleType) -> Any:
    """A strategy of keys of any characters without a segment of dots (META-016)."""
    key = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
    return key.filter(lambda key: not {".", ".."} & set(key.split("/")))


def any_keys(st: ModuleType, most: int) -> Any:
    """A strategy of up to `most` different keys."""
    return st.lists(any_key(st), max_size=most, unique=True).map(tuple)


def _values(st: ModuleType, most: int = 6) -> Any:
    """A strategy of values of printable ASCII, with spaces inside, never at an end and never two together."""
    words = st.lists(st.lists(st.sampled_from(PRINTABLE), min_size=1, max_size=most).map("".join), max_size=3)
    return words.map(" ".join)


@scenario(
    "GEN-010",
    MUST,
    "PutObject",
    "HeadObject",
    "CopyObject",
    source="LocalStack test_head_object_fields and test_s3_copy_content_type_and_metadata (recorded on AWS)",
    clients=READERS,
)
def any_metadata(s3: Scene) -> None:
    """User metadata of any names and printable values comes back exactly, from the object and from a copy of it.

    S3 promises: names of letters, digits and hyphens, values of printable ASCII, empty ones too: each comes back
    unchanged and none is added; CopyObject carries all of them over.

    Breaks: rclone keeps modification times in metadata, backup programs keep checksums and owners. A value cut at a
    comma or a semicolon, or unquoted, makes them store the file again or restore it wrongly.

    Fix: keep the value as the bytes between the colon and the end of the line, trimmed once, and never split it.
    """
    count = iter(range(1_000_000))

    def check(example: Mapping[str, str]) -> None:
        key = s3.key(f"{next(count)}")
        s3.expect(s3.call("PutObject", Key=key, Body=b"x", Metadata=example), ok())
        s3.expect(s3.look("HeadObject", Key=key), ok(), metadata(example))
        s3.expect(s3.call("HeadObject", Key=key), ok(), metadata(example))
        s3.expect(s3.call("CopyObject", Key=f"{key}-copy", CopySource=source_of(s3, key)), ok())
        s3.expect(s3.look("HeadObject", Key=f"{key}-copy"), ok(), metadata(example))

    def strategy(st: ModuleType) -> Any:
        name = st.lists(st.sampled_from(("a", "x1", "mtime", "0", "b-c")), min_size=1, max_size=3).map("-".join)
        return st.dictionaries(name, _values(st), max_size=4)

    generate(s3, "GEN-010", strategy, check, lambda example: f"metadata {dict(example)}", examples=35)


@scenario(
    "GEN-011",
    MUST,
    "PutObject",
    "GetObject",
    "ListObjectsV2",
    "DeleteObject",
    source="LocalStack test_put_get_object_special_character and test_url_encoded_key (recorded on AWS); Amazon S3 "
    "User Guide, Naming Amazon S3 objects",
    clients=READERS,
)
def any_names(s3: Scene) -> None:
    """Keys of any characters are stored, listed, read and deleted under exactly their own name.

    S3 promises: a key is a sequence of characters in which "/" is one like others. Names that differ in an encoding,
    in a slash at the end or in letter case are different objects; each is listed as it was written.

    Breaks: names of files are what people make them: spaces, plus and percent signs, umlauts, quotes. One that is
    decoded or encoded once too often is listed but cannot be read, or overwrites another.

    Fix: decode the path of a request once, use the result as it is, and encode it once where it is written.
    """
    count = iter(range(1_000_000))

    def check(example: tuple[str, ...]) -> None:
        place = s3.key(f"{next(count)}/")
        for name in example:
            s3.expect(s3.call("PutObject", Key=place + name, Body=name.encode()), ok())
        s3.expect(s3.list_all(2, Prefix=place), ok(), keys(ordered(place + name for name in example)))
        for name in example:
            s3.expect(s3.call("GetObject", Key=place + name), ok(), body(name.encode()))
        for name in example[:1]:
            s3.expect(s3.call("DeleteObject", Key=place + name), ok(204))
        left = ordered(place + name for name in example[1:])
        s3.expect(s3.look("ListObjectsV2", Prefix=place), ok(), keys(left))

    generate(s3, "GEN-011", lambda st: any_keys(st, 4), check, lambda names: f"keys {quoted(names)}", examples=25)


@scenario(
    "GEN-013",
    SHOULD,
    "PutObjectTagging",
    "GetObjectTagging",
    "PutObject",
    source="AWS API reference, PutObjectTagging; Amazon S3 User Guide, Categorizing your objects using tags",
    clients=READERS,
)
def any_tags(s3: Scene) -> None:
    """Tags of any allowed characters come back exactly, whether they were set by a document or with the object.

    S3 promises: letters, digits, spaces and + - = . _ : / @ are allowed in keys and values, and values may be empty.
    The document of PutObjectTagging and the encoded header x-amz-tagging of PutObject say the same.

    Breaks: cost reports and lifecycle rules go by tags. Where "+" becomes a space, or "=" ends a value, objects are
    not expired, or the wrong ones are.

    Fix: decode the header as a query string, once, split at the first "=" of a pair, and escape the XML once.
    """
    count = iter(range(1_000_000))

    def check(example: Mapping[str, str]) -> None:
        key, wanted = s3.key(f"{next(count)}"), tag_set(*example.items())
        written = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in example.items())
        s3.expect(s3.call("PutObject", Key=key, Body=b"x", Tagging=written), ok())
        s3.expect(s3.call("GetObjectTagging", Key=key), tags(wanted))
        s3.put(key)
        s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": wanted}), ok())
        keeps_tags(s3, key, wanted)

    def strategy(st: ModuleType) -> Any:
        pieces = st.sampled_from(("a", "B", "0", "+", "-", "=", ".", "_", ":", "/", "@", "a b"))
        name = st.lists(pieces, min_size=1, max_size=3).map("".join)
        return st.dictionaries(name, st.lists(pieces, max_size=4).map("".join), min_size=1, max_size=4)

    generate(s3, "GEN-013", strategy, check, lambda example: f"tags {dict(example)}", examples=30)


@scenario(
    "GEN-014",
    MUST,
    "PutObject",
    "GetObject",
    "HeadObject",
    source="LocalStack test_put_and_get_object_with_content_language_disposition (recorded on AWS)",
    clients=READERS,
)
def any_headers(s3: Scene) -> None:
    """Cache-Control, Content-Disposition, Content-Language and Content-Encoding come back as stored, whatever they say.

    S3 promises: these headers are the object's own, kept as texts: no value is read, normalised or acted upon. One
    that was not given is not sent.

    Breaks: file names for downloads, caching rules of websites and compressed assets: a normalised value changes what
    browsers do, and a body that is decoded because of its Content-Encoding is not the file that was stored.

    Fix: store the value as it came, send it as it was stored, and let nothing in between read it.
    """
    count = iter(range(1_000_000))

    def check(example: Mapping[str, str]) -> None:
        key, content = s3.key(f"{next(count)}"), b"not really compressed"
        s3.expect(s3.call("PutObject", Key=key, Body=content, **example), ok())
        named = [said(member, value) for member, value in example.items()]
        s3.expect(s3.look("HeadObject", Key=key), ok(), *named)
        s3.expect(s3.call("GetObject", Key=key), ok(), body(content), *named)

    def strategy(st: ModuleType) -> Any:
        word = st.lists(st.sampled_from(("a", "B", "0", "-", "_", ".", "~")), min_size=1, max_size=4).map("".join)
        directive = st.builds("{}={}".format, word, st.sampled_from(("0", "60", '"quoted text"', "a")))
        return st.fixed_dictionaries(
            {},
            optional={
                "CacheControl": st.lists(st.one_of(word, directive), min_size=1, max_size=3).map(", ".join),
                "ContentDisposition": st.builds('attachment; filename="{} {}.txt"'.format, word, word),
                "ContentLanguage": st.lists(st.sampled_from(("de-CH", "en", "x-klingon")), min_size=1).map(", ".join),
                "ContentEncoding": st.sampled_from(("gzip", "br", "zstd", "x-own")),
            },
        )

    generate(s3, "GEN-014", strategy, check, lambda example: f"stored with {dict(example)}", examples=45)


class Copies(NamedTuple):
    """A name, and how the header of the copy spells it."""

    name: str
    slash: bool
    leading: bool

    def words(self) -> str:
        """For the report."""
        forms = ["slashes of the key encoded"] * self.slash + ["a slash in front"] * self.leading
        return f"source {self.name!r}{', '.join(['', *forms])}"


@scenario(
    "GEN-015",
    MUST,
    "CopyObject",
    source="LocalStack test_copy_object_special_character (recorded on AWS)",
    confidence="partly unverified",
    clients=READERS,
)
def any_sources(s3: Scene) -> None:
    """CopyObject copies the object that its source names, of any characters and in any of the forms of writing it.

    S3 promises: x-amz-copy-source is bucket and key, percent-encoded once; slashes of the key may be encoded too, and
    a slash may stand in front.

    Breaks: renaming and server-side moves of files with unusual names. The copy fails for them alone, or takes the
    object whose name comes out of one decoding too many.

    Fix: cut a leading slash, split at the first slash, decode both halves once.
    """
    count = iter(range(1_000_000))

    def check(example: Copies) -> None:
        place = s3.key(f"{next(count)}/")
        s3.put(place + example.name, example.name.encode())
        source = f"{s3.bucket}/{encode(place + example.name, safe='' if example.slash else '/')}"
        answer = s3.call("CopyObject", Key=f"{place}copy", CopySource="/" * example.leading + source)
        s3.expect(answer, ok())
        s3.expect(s3.look("GetObject", Key=f"{place}copy"), ok(), body(example.name.encode()))

    def strategy(st: ModuleType) -> Any:
        return st.builds(Copies, any_key(st), st.booleans(), st.booleans())

    generate(s3, "GEN-015", strategy, check, Copies.words, examples=45)


class Spelling(NamedTuple):
    """A name, and for each of its characters how it is written: as usual, or percent-encoded in either letter case."""

    name: str
    hexes: tuple[int, ...]

    def spelled(self) -> str:
        """The name as it stands in the target of a request."""
        written = []
        for at, letter in enumerate(self.name):
            how = self.hexes[at % len(self.hexes)]
            digits = "".join(f"%{byte:02X}" for byte in letter.encode())
            written.append(encode(letter) if how == 0 or letter == "/" else digits if how == 1 else digits.lower())
        return "".join(written).replace("%2F", "/")

    def words(self) -> str:
        """For the report."""
        return f"key {self.name!r} written {self.spelled()}"


@scenario(
    "GEN-016",
    SHOULD,
    "GetObject",
    "ListObjectsV2",
    source="RFC 3986 §6.2.2; AWS Signature Version 4, canonical request: path and query are decoded and encoded again",
    confidence="unverified",
    clients=("raw",),
)
def any_spelling(s3: Scene) -> None:
    """However a request writes a name with percent signs, in capital or small hex digits, it names the same object.

    S3 promises: the name is what comes out of decoding; the signature is made over the one canonical way to write it.

    Breaks: HTTP libraries differ in what they encode ("~", "!", brackets) and in the letter case of hex digits. Where
    a server signs or compares what came over the wire, one program's files are invisible to another's.

    Fix: decode path and query first; for the signature, encode the decoded text again by the rules of AWS.
    """
    count = iter(range(1_000_000))

    def check(example: Spelling) -> None:
        place = s3.key(f"{next(count)}/")
        s3.put(place + example.name, example.name.encode())
        written = encode(place, safe="/") + example.spelled()
        got = s3.send("GetObject", "GET", f"/{s3.bucket}/{written}", bucket=s3.bucket)
        s3.expect(got, ok(), body(example.name.encode()))
        target = f"/{s3.bucket}?list-type=2&prefix={written}"
        s3.expect(s3.send("ListObjectsV2", "GET", target, bucket=s3.bucket), ok(), keys([place + example.name]))

    def strategy(st: ModuleType) -> Any:
        return st.builds(Spelling, any_key(st), st.lists(st.integers(0, 2), min_size=1, max_size=4).map(tuple))

    generate(s3, "GEN-016", strategy, check, Spelling.words, examples=45)
