"""META: what headers of a write are stored as, where their text is not plain."""

from __future__ import annotations

import email.errors
import email.header

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, header, ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from scenarios.get import expires, said
from scenarios.meta import has_metadata
from scenarios.mpu import read_back

CONTENT = b"described by its headers"


def written(s3: Scene, key: str, *headers: tuple[str, str]) -> Observed:
    """A PUT of CONTENT with exactly these further headers."""
    target = model.build("PutObject", {"Bucket": s3.bucket, "Key": key}).target
    return s3.send("PutObject", "PUT", target, *headers, bucket=s3.bucket, body=CONTENT)


def encoded_word(name: str, text: str) -> Matcher:
    """User metadata whose value is ASCII and says the text as RFC 2047 has it (`=?UTF-8?B?…?=`)."""

    def test(seen: Observed) -> str:
        found = (seen.headers or {}).get(f"x-amz-meta-{name}")
        if found is None:
            return f"there is no x-amz-meta-{name} header"
        right = found.isascii() and found.startswith("=?") and _decoded(found) == text
        return "" if right else f"it was {found!r}"

    return Matcher(f"x-amz-meta-{name}: {text!r} as RFC 2047 has it", test)


def _decoded(value: str) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (email.errors.HeaderParseError, LookupError, UnicodeDecodeError):
        return ""


@scenario(
    "META-005",
    EXTENDED,
    "HeadObject",
    source="LocalStack test_put_unicode_metadata_with_sig_s3 and test_metadata_header_character_decoding (recorded on "
    "AWS)",
    clients=("raw",),
)
def metadata_beyond_ascii(s3: Scene) -> None:
    """User metadata beyond ASCII, sent as raw UTF-8, comes back in the form of RFC 2047.

    S3 promises: the bytes of the header are read as UTF-8. The answer spells them in ASCII, as =?UTF-8?B?…?= or
    =?UTF-8?Q?…?=, from which the same text can be decoded.

    Breaks: writers that put names with umlauts or CJK into metadata. Sent back raw, the value is read as ISO-8859-1 by
    most HTTP libraries (Ã¼ for ü); cut off or replaced, it is lost.

    Fix: keep the text, and encode it when it is written into a header that is not ASCII.
    """
    key = s3.key()
    values = {"umlaut": "Grüße", "cjk": "日本語の題名", "plain": "as it is"}
    s3.expect(written(s3, key, *((f"x-amz-meta-{name}", value) for name, value in values.items())), ok())
    for operation in ("HeadObject", "GetObject"):
        answer = s3.expect(s3.call(operation, Key=key), ok(), has_metadata({"plain": "as it is"}))
        s3.expect(answer, *[encoded_word(name, text) for name, text in values.items() if not text.isascii()])


@scenario(
    "META-006",
    EXTENDED,
    "PutObject",
    source="LocalStack test_user_metadata_rfc2047_encoded (recorded on AWS)",
    clients=LIBRARIES,
)
def encoded_metadata_is_decoded(s3: Scene) -> None:
    """User metadata sent in the form of RFC 2047 whose text is ASCII is stored decoded.

    S3 promises: =?UTF-8?B?aGVsbG8gd29ybGQ=?= is a way to write "hello world", and that is what comes back.

    Breaks: libraries that encode every value to be safe find plain text on S3 and their own encoding elsewhere;
    programs that compare what they read with what they meant see a difference.

    Fix: decode encoded words when metadata is stored, and encode again on the way out where it is needed.
    """
    key = s3.key()
    values = {"encoded": "=?UTF-8?B?aGVsbG8gd29ybGQ=?=", "plain": "hello"}
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, Metadata=values), ok())
    stored = {"encoded": "hello world", "plain": "hello"}
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(stored))
    s3.expect(s3.call("HeadObject", Key=key), ok(), has_metadata(stored))


@scenario(
    "META-007",
    EXTENDED,
    "PutObject",
    source="LocalStack test_user_metadata_rfc2047_bad_b64_encoded (recorded on AWS)",
    clients=LIBRARIES,
)
def broken_encoding_is_kept(s3: Scene) -> None:
    """User metadata that looks like RFC 2047 but holds broken base64 is kept as it was sent.

    S3 promises: what cannot be decoded is text like any other. The write succeeds, and the value comes back unchanged.

    Breaks: strict validation for most. A decoder that gives up answers 400 or 500 to an upload that S3 takes, or stores
    an empty value.

    Fix: decode strictly, and on any error keep the value as it is.
    """
    key = s3.key()
    values = {"short": "=?UTF-8?B?a?=", "signs": "=?UTF-8?B?!$%&?=", "plain": "kept"}
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, Metadata=values), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(values))
    s3.expect(s3.call("HeadObject", Key=key), ok(), has_metadata(values))


@scenario(
    "META-008",
    SHOULD,
    "PutObject",
    source="versitygw REST test PutObject - invalid 'Expires' parameter; LocalStack test_s3_object_expires (recorded "
    "on AWS)",
    clients=("raw",),
)
def expires_need_not_be_a_date(s3: Scene) -> None:
    """An Expires that is no date is accepted by PutObject, and comes back verbatim.

    S3 promises: the header is stored, not understood. "0", "-1" and any other text are as good as a date.

    Breaks: web sites send Expires: 0 or -1 for "do not cache", which is no date and very common. Refused, the upload
    fails; dropped or made a date, the page is cached after all.

    Fix: do not parse Expires on writes.
    """
    key = s3.key()
    for value in ("0", "-1", "in a while"):
        s3.expect(written(s3, key, ("Expires", value)), ok())
        s3.expect(s3.look("HeadObject", Key=key), ok(), header("Expires", value))
        s3.expect(s3.call("GetObject", Key=key), ok(), body(CONTENT), expires(value))


@scenario(
    "META-023",
    SHOULD,
    "PutObject",
    source="Moto test_header_content_type (verified on AWS)",
    clients=CALLERS,
)
def content_type_as_given(s3: Scene) -> None:
    """Content-Type is stored exactly as it was given, with its parameters and letter case.

    S3 promises: the value is text. No charset is added or dropped, nothing is put into lower case, no space is taken
    out between parameters.

    Breaks: boundary parameters of stored mail and multipart data, and charsets of web pages, without which the bytes
    cannot be read; sync tools that compare types upload again on every run.

    Fix: store the header as it came, and keep the web framework from completing it ("; charset=utf-8") in answers.
    """
    values = ('Multipart/Mixed; boundary="AbC=_1"', "text/html;charset=ISO-8859-1", "text/plain", "X-Custom")
    key = s3.key()
    for value in values[:1] if s3.costly else values:
        s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, ContentType=value), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), header("Content-Type", value))
        s3.expect(s3.call("HeadObject", Key=key), ok(), said("ContentType", value))
    read_back(s3, key, CONTENT)
