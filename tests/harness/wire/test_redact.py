"""No secret survives redaction, wherever and however it is written; what is no secret stays."""

from __future__ import annotations

import base64
import html
import json
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.wire.exchange import BODY_CAP, Body, Exchange
from harness.wire.redact import MASK, Redactor

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflf=="
ACCESS = "AKIAIOSFODNN7EXAMPLE"
SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"

AWS = st.text(string.ascii_letters + string.digits + "+/=", min_size=16, max_size=60)
ANY = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("C", "Z")), min_size=12, max_size=40
)
SECRETS = st.one_of(AWS, ANY).filter(lambda secret: secret not in MASK)


def lower_escapes(text: str) -> str:
    """Percent escapes with lower-case digits."""
    return "".join(c if c.isascii() and c.isalnum() else "".join(f"%{b:02x}" for b in c.encode()) for c in text)


def numeric(text: str, form: str) -> str:
    """Character references for all but letters and digits."""
    return "".join(c if c.isascii() and c.isalnum() else form.format(ord(c)) for c in text)


def as_base64(text: str, before: str = "", after: str = "") -> str:
    return base64.b64encode((before + text + after).encode()).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent-path": quote,
    "percent-plus": quote_plus,
    "percent-lower": lower_escapes,
    "percent-twice": lambda text: quote(quote(text, safe=""), safe=""),
    "xml": html.escape,
    "xml-unquoted": lambda text: html.escape(text, quote=False),
    "xml-decimal": lambda text: numeric(text, "&#{};"),
    "xml-hex": lambda text: numeric(text, "&#x{:X};"),
    "json": lambda text: json.dumps(text)[1:-1],
    "json-slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json-hex": lambda text: numeric(text, "\\u{:04X}"),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@given(secret=SECRETS, before=st.text(max_size=8), after=st.text(max_size=8))
def test_a_secret_goes_in_any_spelling(spell, secret, before, after):
    written = spell(secret)
    assume(written not in before + after and written not in MASK)
    found = Redactor([secret]).text(f"{before} {written} {after}")
    assert written not in found
    assert MASK in found


@given(secret=SECRETS, before=st.text(max_size=7), after=st.text(max_size=7))
def test_a_secret_goes_from_base64_at_any_offset(secret, before, after):
    """Basic authentication and encoded policies carry it in the middle of something else."""
    redactor = Redactor([secret])
    for written in (as_base64(secret, before, after), as_base64(secret, before)):
        for form in (
            written,
            written.rstrip("="),
            written.replace("+", "-").replace("/", "_"),
            quote(written, safe=""),
        ):
            found = redactor.text(f"x {form} y")
            assert MASK in found
            longest = max(map(len, found.replace(MASK, " ").split()), default=0)
            assert longest <= len(as_base64("", before, "")) + len(as_base64("", "", after)) + 8 * 3


@given(
    secret=SECRETS,
    place=st.sampled_from(["request", "response"]),
    name=st.sampled_from(
        [
            "Authorization",
            "X-Amz-Security-Token",
            "x-amz-meta-note",
            "Location",
            "Set-Cookie",
            "Cookie",
            "x-odd",
            "X-Amz-Server-Side-Encryption-Customer-Key",
            "Proxy-Authorization",
        ]
    ),
    case=st.sampled_from([str.lower, str.upper, str.title, str.swapcase]),
    spell=st.sampled_from(list(SPELLINGS.values())),
)
def test_no_part_of_an_exchange_keeps_a_secret(secret, place, name, case, spell):
    """URL, reason, header lines in any letter case, bodies and error alike."""
    written = spell(secret)
    lines = [("Host", "h"), (case(name), f"a {written} b")]
    exchange = Exchange(
        method="PUT",
        url=f"http://h/b/k?x={written}&y=1",
        request_headers=lines if place == "request" else [],
        request_body=Body.of(f"<Key>{written}</Key>".encode()),
        status=400,
        reason=f"Bad {written}",
        response_headers=lines if place == "response" else [],
        response_body=Body.of(f"<Error><Message>no {written}</Message></Error>".encode()),
        error=f"ValueError: {written}",
    )
    redacted = Redactor(["other-secret", secret]).exchange(exchange)
    texts = [redacted.url, redacted.reason, redacted.error, redacted.request_body.text, redacted.response_body.text]
    texts += [part for line in redacted.request_headers + redacted.response_headers for part in line]
    assert not [text for text in texts if secret in text or written in text]
    sent = redacted.request_headers or redacted.response_headers
    assert [given.lower() for given, _ in sent] == ["host", name.lower()]
    msgspec.json.encode(redacted)


@given(secret=AWS, kept=st.integers(1, 80), spell=st.sampled_from([str, quote, SPELLINGS["percent"], as_base64]))
def test_a_body_cut_within_a_secret_shows_next_to_nothing_of_it(secret, kept, spell):
    written = spell(secret)
    part = written[:kept]
    assume(len(part) < len(written))
    text = "x" * (BODY_CAP - len(part) - 1) + " " + part
    body = Redactor([secret]).body(Body.of((text + written[kept:] + "more").encode()))
    assert body.truncated
    rest = body.text.replace(MASK, "").lstrip("x").strip()
    assert len(rest) <= 6
    assert body.text.endswith(MASK) or len(part) <= 6


def test_a_text_cut_within_a_secret_shows_less_than_a_fifth_of_it():
    """Messages and header values are shortened before they are redacted."""
    found = [Redactor([SECRET]).text("value " + SECRET[:length]) for length in range(len(SECRET))]
    assert max(len(text.removeprefix("value ").replace(MASK, "")) for text in found) < 8


def test_whole_text_that_ends_like_a_secret_begins_stays():
    assert Redactor(["minioadmin"]).text("the server is minio") == "the server is minio"


@pytest.mark.parametrize(
    "value",
    [
        (
            f"AWS4-HMAC-SHA256 Credential={ACCESS}/20130524/us-east-1/s3/aws4_request, "
            f"SignedHeaders=host;range, Signature={SIGNATURE}"
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={ACCESS}/20130524/us-east-1/s3/aws4_request,"
            f"SignedHeaders=host;range,Signature={SIGNATURE}"
        ),
        f"AWS4-ECDSA-P256-SHA256 Credential={ACCESS}/20130524/s3/aws4_request, Signature={SIGNATURE}",
        f"AWS {ACCESS}:frJIUN8DYpKDtOLCwo//yllqDzg=",
        f"Bearer {SIGNATURE}",
        f"Basic {as_base64('user:' + SIGNATURE)}",
        f"Digest username={ACCESS}, response={SIGNATURE}",
        SIGNATURE,
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_authorization_is_emptied_whatever_its_scheme(name, value):
    """Also of credentials the run does not know."""
    ((kept, found),) = Redactor([]).headers([(name, value)])
    assert kept == name
    for hidden in (ACCESS, SIGNATURE, "frJIUN8DYpKDtOLCwo", as_base64("user:" + SIGNATURE)):
        assert hidden not in found


def test_what_an_authorization_says_beside_stays():
    """Scope and signed headers tell a gateway author what went wrong."""
    value = f"AWS4-HMAC-SHA256 Credential={ACCESS}/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=ab"
    ((_, found),) = Redactor([]).headers([("Authorization", value)])
    assert found == (
        f"AWS4-HMAC-SHA256 Credential={MASK}/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={MASK}"
    )


def test_presigned_queries_are_emptied():
    url = (
        f"http://h/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCESS}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        f"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-Security-Token={quote(TOKEN, safe='')}"
        f"&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}&partNumber=1"
    )
    assert Redactor([]).text(url) == (
        f"http://h/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={MASK}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        f"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-Security-Token={MASK}"
        f"&X-Amz-SignedHeaders=host&X-Amz-Signature={MASK}&partNumber=1"
    )


def test_presigned_query_of_version_2_is_emptied():
    url = f"http://h/b/k?AWSAccessKeyId={ACCESS}&Expires=1141889120&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D"
    assert Redactor([]).text(url) == f"http://h/b/k?AWSAccessKeyId={MASK}&Expires=1141889120&Signature={MASK}"


def test_chunk_signatures_are_emptied():
    text = (
        f"10000;chunk-signature={SIGNATURE}\r\naaaa\r\n0;Chunk-Signature={SIGNATURE}\r\n"
        f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{SIGNATURE}\r\n\r\n"
    )
    assert Redactor([]).text(text) == (
        f"10000;chunk-signature={MASK}\r\naaaa\r\n0;Chunk-Signature={MASK}\r\n"
        f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{MASK}\r\n\r\n"
    )


@pytest.mark.parametrize("name", ["x-amz-signature", "X-Amz-Security-Token", "signature", "AWSAccessKeyId"])
def test_fields_of_a_browser_upload_are_emptied(name):
    text = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain\r\n\r\n{SIGNATURE}\r\n'
        '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nuser/a\r\n--b--\r\n'
    )
    assert Redactor([]).text(text) == text.replace(SIGNATURE, MASK)


DOCUMENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match</Message>
<AWSAccessKeyId>{ACCESS}</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256
20130524T000000Z
20130524/us-east-1/s3/aws4_request
{SIGNATURE}</StringToSign><SignatureProvided>{SIGNATURE}</SignatureProvided>
<StringToSignBytes>41 57 53 34</StringToSignBytes><CanonicalRequest>GET
/

host:h
x-amz-security-token:{TOKEN}

host
{SIGNATURE}</CanonicalRequest><CanonicalRequestBytes>47 45 54</CanonicalRequestBytes>
<RequestId>4442587FB7D0A2F9</RequestId><HostId>hid=</HostId></Error>"""


def test_an_error_that_echoes_the_signature_is_emptied_of_it():
    """What was signed would give the session token away; code, message and request id stay."""
    found = Redactor([]).text(DOCUMENT)
    for hidden in (ACCESS, SIGNATURE, TOKEN, "41 57 53 34", "47 45 54"):
        assert hidden not in found
    for shown in ("SignatureDoesNotMatch", "does not match", "4442587FB7D0A2F9", "<HostId>hid=</HostId></Error>"):
        assert shown in found


@pytest.mark.parametrize("end", range(DOCUMENT.index("<AWSAccessKeyId>") + 16, len(DOCUMENT), 7))
def test_a_body_that_ends_within_an_element_is_emptied_too(end):
    found = Redactor([]).body(Body(size=len(DOCUMENT), text=DOCUMENT[:end], truncated=True)).text
    for hidden in (ACCESS, SIGNATURE, TOKEN, ACCESS[:8], SIGNATURE[:8], TOKEN[:8]):
        assert hidden not in found


@pytest.mark.parametrize(
    "element",
    [
        "<StringToSign xmlns='x'>{}</StringToSign>",
        "<s3:StringToSign>{}</s3:StringToSign>",
        "<STRINGTOSIGN\n>{}</STRINGTOSIGN >",
        "<Token-0>{}</Token-0>",
        "<SecretAccessKey>{}</SecretAccessKey>",
    ],
)
def test_elements_are_known_with_prefix_attributes_and_in_any_case(element):
    found = Redactor([]).text(f"<Error>{element.format(SIGNATURE)}<RequestId>1</RequestId></Error>")
    assert SIGNATURE not in found
    assert "<RequestId>1</RequestId>" in found


INNOCENT = (
    "x-amz-content-sha256",
    "d41d8cd98f00b204e9800998ecf8427e",
    "X-Amz-SignedHeaders=host;x-amz-date",
    "The AWS Access Key Id you provided does not exist in our records.",
    "<Code>SignatureDoesNotMatch</Code>",
    "<Key>Signature notes/StringToSign.txt</Key>",
    "continuation-token=1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    'name="key"\r\n\r\nuser/a',
)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_stays(text):
    assert Redactor([SECRET, TOKEN, ACCESS]).text(text) == text


@given(st.text(st.sampled_from("abcxyz019 /.-_<>&%\r\n\u00e9\u4e2d"), max_size=80))
def test_text_without_anything_secret_is_not_touched(text):
    assert Redactor([SECRET, TOKEN, ACCESS]).text(text) == text


@pytest.mark.parametrize("secrets", [[], [""], ["", "", SECRET]])
def test_an_empty_secret_masks_nothing(secrets):
    """A run without session token has an empty one."""
    assert Redactor(secrets).text("a b") == "a b"


def test_one_secret_within_another_hides_neither():
    found = Redactor(["abcdefgh", "abcdefgh-and-more", "xxabcdefgh-and-morexx"]).text(
        "1 xxabcdefgh-and-morexx 2 abcdefgh 3"
    )
    assert found == f"1 {MASK} 2 {MASK} 3"


PIECES = (
    *("Credential=", "Signature=", "chunk-signature=", "x-amz-trailer-signature:", "X-Amz-Credential=", "AWS a:b="),
    *("<StringToSign>", "</StringToSign>", "x-amz-security-token=", "&", ", ", "/", "\r\n", " ", "0af", MASK, "[", "x"),
    *('name="signature"\r\n\r\n', SECRET, SECRET[:9], ACCESS, quote(SECRET, safe=""), as_base64(SECRET), "%2", "\\u00"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_redaction_is_stable(text):
    """Doing it twice changes nothing more, so that it may be applied at every border."""
    redactor = Redactor([SECRET, TOKEN, ACCESS])
    once = redactor.text(text)
    assert SECRET not in once
    assert redactor.text(once) == once


@given(st.text(st.characters(categories=("Cs", "Lu")), max_size=20))
def test_what_is_redacted_can_be_written(text):
    """JSON that a program printed may hold half of a surrogate pair."""
    Redactor([SECRET]).text(text).encode()


def test_hostile_text_takes_no_time():
    """Neither unclosed elements nor long runs of one character make a pattern go back and forth."""
    redactor = Redactor([SECRET, TOKEN, ACCESS, "a" * 40, "%25" * 10])
    for text in (
        "<StringToSign>" * 300,
        "a" * 4096,
        "%25" * 1300,
        "&#" * 2000,
        "\\u" * 2000,
        'name="signature"\r\n' * 200,
    ):
        redactor.body(Body(size=9999, text=text, truncated=True))


@pytest.mark.parametrize("secret", ["test", "a", "k-1"])
def test_a_short_secret_is_masked_where_it_stands_alone(secret):
    """Masked as a word, wherever credentials are echoed; a part of another word is no secret."""
    redactor = Redactor([secret])
    assert redactor.text(f"key={secret}; {secret}") == f"key={MASK}; {MASK}"
    assert redactor.text(f"<AWSAccessKeyId>{secret}</AWSAccessKeyId>") == f"<AWSAccessKeyId>{MASK}</AWSAccessKeyId>"
    assert redactor.text("cannot attest latest-k-12") == "cannot attest latest-k-12"


@pytest.mark.parametrize("cut", [0, 1])
def test_buckets_of_others_are_not_shown(cut: int) -> None:
    """A list of buckets keeps those of runs; the names of an account's own are nobody's business."""
    names = ("payroll", "s3conform-261120-1", "secret-plans")
    entries = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in names)
    text = f"<ListAllMyBucketsResult><Buckets>{entries}"
    text += "<Bucket><Name>half-a-na" if cut else "</Buckets></ListAllMyBucketsResult>"
    body = Body(len(text) + cut, text, truncated=bool(cut))
    found = Redactor([]).exchange(Exchange("GET", "http://h/", [], response_body=body)).response_body.text
    assert "s3conform-261120-1" in found
    assert not any(name in found for name in ("payroll", "secret-plans", "half"))
    assert found.startswith("<ListAllMyBucketsResult><Buckets>")


@pytest.mark.parametrize(
    "entry",
    [
        "<ns2:Bucket><ns2:Name>payroll</ns2:Name></ns2:Bucket>",
        '<Bucket xmlns="x"><Name>payroll</Name></Bucket>',
        "<Bucket >\n<Name>payroll</Name></Bucket >",
        "<Bucket><Name>payroll</Name><Note>s3conform-1</Note></Bucket>",
        "<Bucket><Name>payroll",
    ],
)
@pytest.mark.parametrize("root", ["ListAllMyBucketsResult", "ns2:ListAllMyBucketsResult", "ListAllMyBucketsList"])
def test_buckets_of_others_are_not_shown_however_they_are_written(root: str, entry: str) -> None:
    """Prefixes, attributes and white space are the server's choice, and an answer may end within an entry."""
    text = f"<{root}><Buckets><Bucket><Name>s3conform-1</Name></Bucket>{entry}</Buckets></{root}>"
    answer = Exchange("GET", "http://h/", [], response_body=Body(len(text), text))
    found = Redactor([]).exchange(answer).response_body.text
    assert "s3conform-1</Name></Bucket>" in found
    assert "payroll" not in found


def test_signature_of_version_2_is_emptied_where_the_access_key_is_known() -> None:
    """The key is masked first, and must not shield the signature after it."""
    value = f"AWS {ACCESS}:frJIUN8DYpKDtOLCwo//yllqDzg="
    assert Redactor([ACCESS]).headers([("Authorization", value)]) == [("Authorization", f"AWS {MASK}")]


@pytest.mark.parametrize(
    "sent",
    [
        f'--b\r\nContent-Disposition: form-data; name="x-amz-signature"\r\n\r\n{SIGNATURE}\r\n--b--',
        f"5;chunk-signature={SIGNATURE}\r\nhello\r\n",
        f"0\r\nx-amz-trailer-signature:{SIGNATURE}\r\n",
    ],
)
def test_signatures_that_bodies_carried_are_known(sent: str) -> None:
    """An endpoint may repeat them in words of its own."""
    redactor = Redactor([])
    answer = Body(100, f"<Message>not {SIGNATURE}</Message>")
    seen = Exchange("POST", "http://h/b", [], Body.of(sent.encode()), response_body=answer)
    redactor.learn([seen])
    assert SIGNATURE not in str(redactor.exchange(seen))


@pytest.mark.parametrize(
    "piece",
    ['name="Signature"\n', "name=Signature ", "<SecretAccessKey ", "<StringToSign>", "X-Amz-Credential="],
)
def test_text_of_any_length_takes_linear_time(piece: str) -> None:
    """A quadratic pattern takes a minute for what a header line can hold."""
    redactor = Redactor([SECRET, TOKEN, ACCESS])
    begun = time.monotonic()
    redactor.text(piece * (60_000 // len(piece)))
    assert time.monotonic() - begun < 5


def test_long_lines_are_cut_and_many_are_counted() -> None:
    """Evidence is bounded: by the line, by the head, and it says so; a secret does not show where it is cut."""
    long = "x" * 8185 + SECRET
    shown = Exchange("GET", f"http://h/{long}", [(f"n{count}", long) for count in range(20)], reason=long, error=long)
    found = Redactor([SECRET]).exchange(shown)
    assert len(str(found)) < 80_000
    assert SECRET[:8] not in str(found)
    assert found.request_headers[-1] == ("…", "17 more header lines")
