"""Browser forms as they come: from whom, in which order, how long, and how broken."""

from __future__ import annotations

import http.client
import itertools
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from tests.reference_server.catalogue.forms import BOUNDARY, FILE, KIND, encode, part, post, signed
from tests.reference_server.catalogue.permissions import set_policy, statement
from tests.reference_server.catalogue.steps import md5, refusal
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Raw, Running

CONTENT = b"content"
ETAG = f'"{md5(CONTENT)}"'
DENIED = (403, "AccessDenied")


# Who may


def test_a_public_bucket_takes_forms_from_everybody(raw: Raw, bucket: str) -> None:
    """A policy allows what the form does, and nothing beside it."""
    set_policy(raw, bucket, statement(bucket, "s3:PutObject", resource="/inbox/*"))
    assert post(raw, bucket, {"key": "inbox/${filename}"}).status == 204
    assert raw("GET", f"/{bucket}/inbox/name.txt").body == CONTENT
    document = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    for form in (
        {"key": "elsewhere"},
        {"key": "inbox/k", "acl": "private"},
        {"key": "inbox/k", "tagging": document},
        {"key": "inbox/k", "x-amz-object-lock-legal-hold": "ON"},
    ):
        assert refusal(post(raw, bucket, form)) == DENIED
    assert raw("GET", f"/{bucket}").elements("Key") == ["inbox/name.txt"]


def test_a_form_of_another_account_needs_permission(running: Running, raw: Raw, bucket: str) -> None:
    """A good signature says who asks and not that they may; a deny stops the owner's form too."""
    other = Signer("OTHERKEY", "other-secret")
    assert refusal(post(raw, bucket, signed(bucket, {"key": "k"}, signer=other))) == DENIED
    number = running.app.account(running.raw(("OTHERKEY", "other-secret"))("GET", "/").element("ID"))
    assert number is not None
    allowing = statement(bucket, "s3:PutObject", principal={"AWS": number.number})
    set_policy(raw, bucket, allowing)
    assert post(raw, bucket, signed(bucket, {"key": "k"}, signer=other)).status == 204
    secure = {"StringNotEquals": {"s3:authType": "REST-HEADER"}}
    set_policy(raw, bucket, allowing, statement(bucket, "s3:PutObject", effect="Deny", conditions=secure))
    for signer in (other, Signer()):
        assert refusal(post(raw, bucket, signed(bucket, {"key": "k"}, signer=signer))) == DENIED


def test_a_missing_bucket_takes_no_forms(raw: Raw) -> None:
    """The error names it."""
    reply = post(raw, "no-such-bucket-here", signed("no-such-bucket-here", {"key": "k"}))
    assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")


# Forms as they come


def test_a_form_may_go_to_the_host_of_its_bucket(raw: Raw, bucket: str) -> None:
    """As most do; the location then is there."""
    host = raw.host.replace("127.0.0.1", f"{bucket}.localhost")
    reply = raw("POST", "/", encode(signed(bucket, {"key": "a/b"})), KIND, sign=False, host=host)
    assert (reply.status, reply.headers["location"]) == (204, f"http://{host}/a%2Fb")
    assert raw("GET", f"/{bucket}/a/b").body == CONTENT


def test_a_field_that_is_no_text_does_no_harm(raw: Raw, bucket: str) -> None:
    """What is not UTF-8 is replaced, and the form is held to what is left of it."""
    form = signed(bucket, {"key": "k"})
    body = part('name="x-ignore-me"', b"\xff\xfe") + encode(form)
    assert raw("POST", f"/{bucket}", body, KIND, sign=False).status == 204
    reply = raw("POST", f"/{bucket}", part('name="success_action_status"', b"20\xff") + encode(form), KIND, sign=False)
    assert refusal(reply) == DENIED


def test_what_comes_behind_the_file_is_ignored(raw: Raw, bucket: str) -> None:
    """So a form whose file comes first has no key."""
    form = signed(bucket, {"key": "k"})
    body = encode(form).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    end = part('name="key"', b"other") + part(FILE, b"other") + f"--{BOUNDARY}--\r\n".encode()
    assert raw("POST", f"/{bucket}", body + end, KIND, sign=False).status == 204
    assert raw("GET", f"/{bucket}/k").body == CONTENT
    first = part(FILE, CONTENT) + encode(form, file=None)
    reply = raw("POST", f"/{bucket}", first, KIND, sign=False)
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "key")


def test_a_form_without_a_file_is_refused(raw: Raw, bucket: str) -> None:
    """As the argument that it lacks; an empty file is one."""
    reply = raw("POST", f"/{bucket}", encode(signed(bucket, {"key": "k"}), file=None), KIND, sign=False)
    assert refusal(reply, "ArgumentName", "ArgumentValue") == (400, "InvalidArgument", "file", "0")
    assert post(raw, bucket, signed(bucket, {"key": "k"}), b"").status == 204
    assert raw("GET", f"/{bucket}/k").body == b""


@pytest.mark.parametrize("fields", [{"x-ignore-a": "x" * 20_481}, {f"x-ignore-{n}": "x" * 1000 for n in range(21)}])
def test_fields_are_bounded_together(raw: Raw, bucket: str, fields: dict[str, str]) -> None:
    """The file is not; the refusal tells the bound."""
    reply = post(raw, bucket, {"key": "k", **fields})
    found = refusal(reply, "MaxPostPreDataLengthBytes")
    assert found == (400, "MaxPostPreDataLengthExceededError", "20480")


@pytest.mark.parametrize("length", [False, True])
def test_a_form_has_a_length(raw: Raw, bucket: str, length: bool) -> None:
    """Without it the upload is refused before anything of it is read."""
    headers = {**KIND, "Transfer-Encoding": "chunked"} if length else KIND
    reply = raw("POST", f"/{bucket}", b"", headers, sign=False, length=False)
    assert refusal(reply) == ((501, "NotImplemented") if length else (411, "MissingContentLength"))


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "no end": lambda body: body.removesuffix(f"--{BOUNDARY}--\r\n".encode()),
    "cut": lambda body: body[: len(body) // 2],
    "no boundary": lambda body: body.replace(BOUNDARY.encode(), b"other"),
    "no names": lambda body: body.replace(b"name=", b"nome="),
    "no disposition": lambda body: body.replace(b"Content-Disposition", b"Content-Description"),
    "other disposition": lambda body: body.replace(b"form-data;", b"attachment;"),
    "no text": lambda body: body.replace(b'name="key"', b'name="k\xff"'),
    "line feeds": lambda body: body.replace(b"\r\n", b"\n"),
    "words in front": lambda body: b"words" + body,
    "long head": lambda body: body.replace(b"form-data;", b"form-data; " + b"x" * 10_000 + b";", 1),
    "endless head": lambda body: body[:40] + b"x" * 100_000,
    "many heads": lambda body: body.replace(b"\r\n\r\n", b"\r\n" + b"A: b\r\n" * 100 + b"\r\n", 1),
    "many parts": lambda body: part('name="x-ignore"', b"") * 1000 + body,
    "negative length": lambda body: body.replace(b"form-data;", b"form-data\r\nContent-Length: -1\r\n\r\n", 1),
    "endless number": lambda body: body.replace(b"\r\n\r\n", b"\r\nContent-Length: " + b"9" * 4000 + b"\r\n\r\n", 1),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_form_that_is_broken_is_refused(raw: Raw, bucket: str, how: str) -> None:
    """At once and with a reason, and nothing of it is stored."""
    body = BROKEN[how](encode(signed(bucket, {"key": "k"})))
    reply = raw("POST", f"/{bucket}", body, KIND, sign=False)
    assert 400 <= reply.status < 500
    assert reply.code in {"MalformedPOSTRequest", "InvalidArgument", "MaxPostPreDataLengthExceededError"}
    assert raw("GET", f"/{bucket}").elements("Key") == []


@pytest.mark.parametrize("boundary", ["", "; boundary=", '; boundary=""', "; boundary=é", "; boundary=" + "b" * 5000])
def test_a_boundary_that_is_none_is_refused(raw: Raw, bucket: str, boundary: str) -> None:
    """As a request that is not well-formed."""
    kind = {"Content-Type": f"multipart/form-data{boundary}"}
    reply = raw("POST", f"/{bucket}", encode(signed(bucket, {"key": "k"})), kind, sign=False)
    assert refusal(reply) == (400, "MalformedPOSTRequest")


def test_a_file_may_hold_what_looks_like_a_boundary(raw: Raw, bucket: str) -> None:
    """Only the boundary itself ends it."""
    content = f"\r\n--{BOUNDARY[:-1]}\r\n--\r\n{BOUNDARY}\r\n\r\r\n-".encode()
    assert post(raw, bucket, signed(bucket, {"key": "k"}), content).status == 204
    assert raw("GET", f"/{bucket}/k").body == content


def test_a_long_file_passes_through(raw: Raw, bucket: str) -> None:
    """The server never holds more than a little of it."""
    size, piece = 24 * 1024**2, b"x" * 65536
    form = encode(signed(bucket, {"key": "k"}, ["content-length-range", 0, size]), b"@@")
    opening, _, end = form.partition(b"@@")
    pieces = itertools.chain([opening], itertools.repeat(piece, size // len(piece)), [end])
    headers = {**KIND, "Content-Length": str(len(opening) + size + len(end))}
    tracemalloc.start()
    try:
        with closing(http.client.HTTPConnection(*raw.address, timeout=60)) as connection:
            connection.request("POST", f"/{bucket}", pieces, headers)
            assert connection.getresponse().status == 204
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size // 4
    assert raw("HEAD", f"/{bucket}/k").headers["content-length"] == str(size)


def test_a_file_that_is_too_long_is_not_read_to_its_end(raw: Raw, bucket: str) -> None:
    """The refusal comes while the client is still sending."""
    form = encode(signed(bucket, {"key": "k"}, ["content-length-range", 0, 100]), b"@@")
    opening, _, _ = form.partition(b"@@")
    with raw.connect() as sock:
        head = f"POST /{bucket} HTTP/1.1\r\nHost: {raw.host}\r\nContent-Length: {10**9}\r\n"
        sock.sendall(f"{head}Content-Type: {KIND['Content-Type']}\r\n\r\n".encode() + opening + b"x" * 1000)
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>EntityTooLarge</Code>" in answer


# Real signers


@pytest.mark.parametrize("signature_version", ["s3v4", "s3"])
def test_boto3_presigns_a_form_that_urllib3_fills_in(
    running: Running, s3: Any, bucket: str, signature_version: str
) -> None:
    """All fields, a status and a redirect, as a web application would use them."""
    config = Config(signature_version=signature_version, s3={"addressing_style": "path"})
    sent = {
        "acl": "bucket-owner-full-control",
        "Content-Type": "image/png",
        "success_action_status": "201",
        "x-amz-meta-user": "someone",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-server-side-encryption": "AES256",
        "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    }
    redirect = {"success_action_redirect": "http://host.test/done"}
    sized: list[Any] = [["content-length-range", 1, 1000]]
    session = boto3.Session("OWNERKEY", "owner-secret", region_name="us-east-1")
    client = session.client("s3", endpoint_url=running.endpoint, config=config)
    with closing(client):
        form = client.generate_presigned_post(bucket, "in/${filename}", {**sent}, [*items(sent), *sized])
        answer = submit(form, ("a.png", CONTENT, "text/ignored"))
        assert (answer.status, answer.headers["ETag"]) == (201, ETAG)
        assert b"<Key>in/a.png</Key>" in answer.data
        found = s3.get_object(Bucket=bucket, Key="in/a.png")
        assert (found["Body"].read(), found["ContentType"]) == (CONTENT, "image/png")
        assert (found["StorageClass"], found["TagCount"], found["Metadata"]) == ("STANDARD_IA", 1, {"user": "someone"})
        form = client.generate_presigned_post(bucket, "k", {**redirect}, items(redirect))
        answer = submit(form, ("f", CONTENT))
        assert answer.status == 303
        assert answer.headers["Location"].startswith(f"http://host.test/done?bucket={bucket}&key=k&etag=")
        assert submit({**form, "fields": {**form["fields"], "key": "other"}}, ("f", CONTENT)).status == 403


def items(fields: dict[str, str]) -> list[Any]:
    """A condition for each field."""
    return [{name: value} for name, value in fields.items()]


def submit(form: dict[str, Any], file: tuple[str, ...]) -> urllib3.BaseHTTPResponse:
    """Fill in and send what boto3 made."""
    fields = {**form["fields"], "file": file}
    return urllib3.request("POST", form["url"], fields=fields, redirect=False, retries=False, timeout=10)
