"""Uploads by browser forms: catalogue family POST."""

from __future__ import annotations

import http.client
import itertools
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import boto3
import pytest
import urllib3
from botocore.config import Config

from reference_server.auth import Credential
from tests.reference_server.catalogue.forms import BOUNDARY, FILE, KIND, encode, part, post, signed
from tests.reference_server.catalogue.permissions import set_policy, statement
from tests.reference_server.catalogue.steps import (
    ALGORITHMS,
    checksum,
    customer_key,
    fields,
    md5,
    md5_header,
    names,
    refusal,
    tree,
    version,
)
from tests.reference_server.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Raw, Running

CONTENT = b"content"
ETAG = f'"{md5(CONTENT)}"'
VERSIONS = pytest.mark.parametrize("version", ["v4", "v2"])
DENIED = (403, "AccessDenied")


def stored(raw: Raw, path: str) -> bytes:
    """The body of an object."""
    reply = raw("GET", path)
    assert reply.status == 200
    return reply.body


# Success


@pytest.mark.catalogue("POST-001")
@VERSIONS
@pytest.mark.parametrize("key", ["k", "folder/a b+é%?#.txt"])
def test_a_signed_form_stores_its_file(raw: Raw, bucket: str, key: str, version: str) -> None:
    """The answer has no body, but the ETag and where the object is now."""
    reply = post(raw, bucket, signed(bucket, {"key": key}, version=version))
    assert (reply.status, reply.body, reply.headers["etag"]) == (204, b"", ETAG)
    assert reply.headers["location"] == f"http://{raw.host}/{bucket}/{quote(key, safe='')}"
    assert stored(raw, f"/{bucket}/{quote(key)}") == CONTENT
    assert raw("HEAD", f"/{bucket}/{quote(key)}").headers["content-type"] == "binary/octet-stream"


@pytest.mark.catalogue("POST-002")
def test_a_form_may_ask_for_a_document(raw: Raw, bucket: str) -> None:
    """201 has one that says where the object is; 200 and what is no status have none."""
    form = signed(bucket, {"key": "a&b/c d", "success_action_status": "201"})
    reply = post(raw, bucket, form)
    location = f"http://{raw.host}/{bucket}/a%26b%2Fc%20d"
    assert (reply.status, reply.headers["content-type"], reply.headers["location"]) == (
        201,
        "application/xml",
        location,
    )
    root = tree(reply)
    assert (root.tag, names(root)) == ("PostResponse", ["Location", "Bucket", "Key", "ETag"])
    assert fields(root) == {"Location": location, "Bucket": bucket, "Key": "a&b/c d", "ETag": ETAG}
    for asked, status in (("200", 200), ("204", 204), ("202", 204), ("", 204), ("nonsense", 204)):
        reply = post(raw, bucket, signed(bucket, {"key": "k", "success_action_status": asked}))
        assert (asked, reply.status, reply.body) == (asked, status, b"")


@pytest.mark.catalogue("POST-003")
@pytest.mark.parametrize("field", ["success_action_redirect", "redirect"])
def test_a_form_may_send_its_visitor_elsewhere(raw: Raw, bucket: str, field: str) -> None:
    """The URL learns bucket, key and ETag; a redirect outweighs a status, and what is no URL is ignored."""
    form = signed(bucket, {"key": "a&b é", "success_action_status": "201", field: "http://host.test/path?x=1"})
    reply = post(raw, bucket, form)
    assert (reply.status, reply.body) == (303, b"")
    url = urlsplit(reply.headers["location"])
    assert (url.scheme, url.netloc, url.path) == ("http", "host.test", "/path")
    assert parse_qs(url.query) == {"x": ["1"], "bucket": [bucket], "key": ["a&b é"], "etag": [ETAG]}
    for wrong in ("/relative", "javascript:alert(1)", "nonsense", "", "http://h/\r\nSet-Cookie: a=b"):
        reply = post(raw, bucket, signed(bucket, {"key": "k", field: wrong}))
        assert (wrong, reply.status) == (wrong, 204)
        assert "set-cookie" not in reply.headers


@pytest.mark.catalogue("POST-004")
@pytest.mark.parametrize(
    ("key", "file", "expected"),
    [
        ("a/${filename}", 'name="file"; filename="photo.jpg"', "a/photo.jpg"),
        ("${filename}-${filename}", 'name="file"; filename="x"', "x-x"),
        ("a/${filename}", 'name="file"; filename="/home/me/photo.jpg"', "a/photo.jpg"),
        ("a/${filename}", 'name="file"; filename="C:\\me\\photo.jpg"', "a/photo.jpg"),
        ("a/${filename}", 'name="file"; filename="é \U0001f600.txt"', "a/é \U0001f600.txt"),
        ("a/${filename}", 'name="file"; filename=""', "a/"),
        ("a/${filename}", 'name="file"', "a/${filename}"),
    ],
)
def test_the_name_of_the_file_goes_into_the_key(raw: Raw, bucket: str, key: str, file: str, expected: str) -> None:
    """Without its folders; a file that was sent without any name leaves the variable as it is."""
    form = signed(bucket, {"key": key}, conditions=[{"bucket": bucket}, ["starts-with", "$key", ""]])
    assert raw("POST", f"/{bucket}", encode(form, CONTENT, file), KIND, sign=False).status == 204
    assert stored(raw, f"/{bucket}/{quote(expected)}") == CONTENT


def test_conditions_speak_of_values_with_the_name_in_them(raw: Raw, bucket: str) -> None:
    """All fields know the variable, and a policy about keys cannot be passed by means of it."""
    sent = {"key": "k", "x-amz-meta-name": "<${filename}>"}
    conditions = [{"bucket": bucket}, {"key": "k"}, ["eq", "$x-amz-meta-name", "<name.txt>"]]
    assert post(raw, bucket, signed(bucket, sent, conditions=conditions)).status == 204
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-meta-name"] == "<name.txt>"
    conditions = [{"bucket": bucket}, ["starts-with", "$key", "${"]]
    assert refusal(post(raw, bucket, signed(bucket, {"key": "${filename}"}, conditions=conditions))) == DENIED


def test_a_key_is_neither_empty_nor_too_long(raw: Raw, bucket: str) -> None:
    """Whatever the name of the file makes of it."""
    form = signed(bucket, {"key": "${filename}"}, conditions=[{"bucket": bucket}, ["starts-with", "$key", ""]])
    body = encode(form, CONTENT, 'name="file"; filename=""')
    reply = raw("POST", f"/{bucket}", body, KIND, sign=False)
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "key")
    body = encode(form, CONTENT, f'name="file"; filename="{"é" * 513}"')
    assert refusal(raw("POST", f"/{bucket}", body, KIND, sign=False)) == (400, "KeyTooLongError")
    assert raw("GET", f"/{bucket}").elements("Key") == []


# Policy and signature


@pytest.mark.catalogue("POST-005")
@VERSIONS
def test_an_expired_policy_is_denied(raw: Raw, bucket: str, version: str) -> None:
    """However well the form is signed."""
    reply = post(raw, bucket, signed(bucket, {"key": "k"}, version=version, expires=-1))
    assert refusal(reply) == DENIED
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("POST-006")
@VERSIONS
def test_a_policy_that_was_altered_does_not_match(raw: Raw, bucket: str, version: str) -> None:
    """What should have been signed is the policy as it was sent, whatever it says by now."""
    form = signed(bucket, {"key": "k"}, version=version)
    name = "x-amz-signature" if version == "v4" else "signature"
    for altered in (form["policy"][:-2], "", "A" * 40, signed(bucket, {"key": "k", "acl": "private"})["policy"]):
        reply = post(raw, bucket, {**form, "policy": altered})
        found = refusal(reply, "StringToSign", "SignatureProvided", "AWSAccessKeyId")
        assert found == (403, "SignatureDoesNotMatch", altered, form[name], "OWNERKEY")
    reply = post(raw, bucket, {**form, name: "0" * 64})
    assert refusal(reply, "StringToSign") == (403, "SignatureDoesNotMatch", form["policy"])
    other = signed(bucket, {"key": "k"}, version=version, signer=Signer(secret="wrong"))
    assert refusal(post(raw, bucket, other)) == (403, "SignatureDoesNotMatch")
    unknown = signed(bucket, {"key": "k"}, version=version, signer=Signer(access_key="NOBODY"))
    assert refusal(post(raw, bucket, unknown)) == (403, "InvalidAccessKeyId")
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("POST-007")
@pytest.mark.parametrize(
    ("version", "missing", "named"),
    [
        ("v4", "x-amz-signature", "X-Amz-Signature"),
        ("v4", "x-amz-algorithm", "X-Amz-Algorithm"),
        ("v4", "x-amz-credential", "X-Amz-Credential"),
        ("v4", "x-amz-date", "X-Amz-Date"),
        ("v4", "policy", "Policy"),
        ("v4", "key", "key"),
        ("v2", "signature", "Signature"),
        ("v2", "AWSAccessKeyId", "AWSAccessKeyId"),
        ("v2", "key", "key"),
    ],
)
def test_a_field_that_is_needed_is_named(raw: Raw, bucket: str, version: str, missing: str, named: str) -> None:
    """The refusal tells which one the form does not have."""
    form = signed(bucket, {"key": "k"}, version=version)
    del form[missing]
    reply = post(raw, bucket, form)
    assert refusal(reply, "ArgumentName", "ArgumentValue") == (400, "InvalidArgument", named, "")


def test_a_policy_needs_a_signature(raw: Raw, bucket: str) -> None:
    """With none of its fields it is denied; so is a form that has nothing of all that."""
    form = signed(bucket, {"key": "k"})
    assert refusal(post(raw, bucket, {"key": "k", "policy": form["policy"]})) == DENIED
    assert refusal(post(raw, bucket, {"key": "k"})) == DENIED
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("POST-008")
@pytest.mark.parametrize(
    ("condition", "sent"),
    [
        (["eq", "$acl", "private"], {"acl": "public-read"}),
        (["eq", "$acl", "private"], {}),
        (["eq", "$x-amz-meta-a", "value"], {"x-amz-meta-a": "Value"}),
        (["starts-with", "$key", "user/"], {}),
        (["starts-with", "$x-amz-meta-a", "a"], {"x-amz-meta-a": "ba"}),
        (["starts-with", "$Content-Type", "image/"], {"Content-Type": "text/html"}),
        (["eq", "$bucket", "another-bucket"], {}),
        (["eq", "acl", "private"], {"acl": "private"}),
    ],
)
def test_a_condition_that_is_not_met_is_named(
    raw: Raw, bucket: str, condition: list[str], sent: dict[str, str]
) -> None:
    """The message has the condition as it stands in the policy."""
    reply = post(raw, bucket, signed(bucket, {"key": "k", **sent}, condition))
    assert refusal(reply) == DENIED
    inside = ", ".join(f'"{word}"' for word in condition)
    assert f"[{inside}]" in reply.element("Message")
    assert raw("HEAD", f"/{bucket}/k").status == 404


def test_every_field_needs_a_condition(raw: Raw, bucket: str) -> None:
    """But for those that are there to be ignored."""
    form = signed(bucket, {"key": "k"})
    reply = post(raw, bucket, {"x-amz-meta-added": "1", **form})
    assert refusal(reply) == DENIED
    assert "x-amz-meta-added" in reply.element("Message")
    assert post(raw, bucket, {"x-ignore-added": "1", **form}).status == 204


@pytest.mark.catalogue("POST-009")
@pytest.mark.parametrize(
    ("size", "code", "elements"),
    [
        (9, "EntityTooSmall", ("MinSizeAllowed", "ProposedSize")),
        (21, "EntityTooLarge", ("MaxSizeAllowed", "ProposedSize")),
    ],
)
def test_a_policy_bounds_the_size_of_the_file(
    raw: Raw, bucket: str, size: int, code: str, elements: tuple[str, str]
) -> None:
    """Both ends belong to the range; an earlier object survives a refusal."""
    form = signed(bucket, {"key": "k"}, ["content-length-range", 10, "20"])
    for fitting in (10, 20):
        assert post(raw, bucket, form, b"x" * fitting).status == 204
    reply = post(raw, bucket, form, b"y" * size)
    limit = "10" if size < 10 else "20"
    assert refusal(reply, *elements) == (400, code, limit, str(size))
    assert stored(raw, f"/{bucket}/k") == b"x" * 20


@pytest.mark.catalogue("POST-010")
def test_a_condition_object_has_one_key(raw: Raw, bucket: str) -> None:
    """Two in one object, or none, make the document invalid."""
    for condition in ({"bucket": bucket, "key": "k"}, {}):
        assert refusal(post(raw, bucket, signed(bucket, {"key": "k"}, condition))) == (400, "InvalidPolicyDocument")


@pytest.mark.parametrize("text", ["no base64!", "bm8ganNvbg==", "W10=", "e30=", "eyJleHBpcmF0aW9uIjoiMjA5OS0wMS0wMSJ9"])
def test_a_policy_that_is_none_is_invalid(raw: Raw, bucket: str, text: str) -> None:
    """Also when it is signed."""
    form = signed(bucket, {"key": "k"})
    form |= {"policy": text, "x-amz-signature": Signer().signature(text)}
    assert refusal(post(raw, bucket, form)) == (400, "InvalidPolicyDocument")


@pytest.mark.catalogue("POST-011")
@VERSIONS
def test_the_case_of_names_does_not_count_and_that_of_values_does(raw: Raw, bucket: str, version: str) -> None:
    """In fields and in conditions."""
    sent = {"KEY": "k", "ACL": "private", "X-Amz-Meta-A": "Value"}
    conditions = [{"Bucket": bucket}, {"kEy": "k"}, ["eq", "$aCl", "private"], ["eq", "$x-amz-META-a", "Value"]]
    form = signed(bucket, sent, conditions=conditions, version=version)
    shouted = {name.upper(): value for name, value in form.items()}
    assert post(raw, bucket, shouted).status == 204
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-meta-a"] == "Value"
    for name, value in (("KEY", "K"), ("ACL", "Private"), ("X-Amz-Meta-A", "value")):
        assert refusal(post(raw, bucket, {**form, name: value})) == DENIED


@pytest.mark.catalogue("POST-016")
@VERSIONS
def test_a_role_can_sign_a_form(serve: Callable[..., Iterator[Running]], version: str) -> None:
    """Its token is a field of the form; without it, or with another, the form is refused."""
    role, token = Signer("ROLEKEY", "role-secret"), {"x-amz-security-token": "role/token+1"}
    credential = Credential("role-secret", token="role/token+1", account_of="OWNERKEY")
    for running in serve(credentials={"ROLEKEY": credential}):
        raw = running.raw()
        raw("PUT", "/bucket")
        form = signed("bucket", {"key": "k", **token}, version=version, signer=role)
        assert post(raw, "bucket", form).status == 204
        assert stored(raw, "/bucket/k") == CONTENT
        assert refusal(post(raw, "bucket", {**form, "x-amz-security-token": "other"})) == (400, "InvalidToken")
        form = signed("bucket", {"key": "k"}, version=version, signer=role)
        assert refusal(post(raw, "bucket", form)) == (403, "InvalidAccessKeyId")


def test_a_signature_is_of_the_servers_region_and_service(raw: Raw, bucket: str) -> None:
    """A form signed for elsewhere is not good here."""
    for signer in (Signer(region="eu-west-1"), Signer(service="ec2"), Signer(date="2026")):
        assert post(raw, bucket, signed(bucket, {"key": "k"}, signer=signer)).status == 400
    form = signed(bucket, {"key": "k"})
    reply = post(raw, bucket, {**form, "x-amz-algorithm": "AWS4-HMAC-SHA512"})
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "X-Amz-Algorithm")


# Fields


@pytest.mark.catalogue("POST-012")
@pytest.mark.parametrize(
    "kind", [None, "application/x-www-form-urlencoded", "text/plain", "multipart/mixed; boundary=b", ""]
)
def test_a_form_is_multipart(raw: Raw, bucket: str, kind: str | None) -> None:
    """Any other Content-Type, or none, fails the one precondition of such uploads."""
    headers = {} if kind is None else {"Content-Type": kind}
    reply = raw("POST", f"/{bucket}", encode(signed(bucket, {"key": "k"})), headers, sign=False)
    condition = "Bucket POST must be of the enclosure-type multipart/form-data"
    assert refusal(reply, "Condition") == (412, "PreconditionFailed", condition)


TAG = "<Tag><Key>{}</Key><Value>{}</Value></Tag>"


@pytest.mark.catalogue("POST-013")
def test_tags_come_as_a_document(raw: Raw, bucket: str) -> None:
    """Of another document nothing is taken; what is no document is refused, as are tags that cannot be."""
    tags = {"a b": "c=d/e", "é": "+", "empty": ""}
    document = f"<Tagging><TagSet>{''.join(TAG.format(*tag) for tag in tags.items())}</TagSet></Tagging>"
    assert post(raw, bucket, signed(bucket, {"key": "k", "tagging": document})).status == 204
    found = tree(raw("GET", f"/{bucket}/k?tagging")).findall("TagSet/Tag")
    assert {tag.findtext("Key"): tag.findtext("Value") for tag in found} == tags
    for other in ("<Other></Other>", "<Tagging><TagSet></TagSet></Tagging>"):
        assert post(raw, bucket, signed(bucket, {"key": "k", "tagging": other})).status == 204
        assert raw("GET", f"/{bucket}/k?tagging").elements("Tag") == []
    many = "".join(TAG.format(number, "") for number in range(11))
    twice = TAG.format("a", "1") * 2
    for wrong, code in (
        ("no document", "MalformedXML"),
        ("<Tagging>", "MalformedXML"),
        ("<Tagging/>", "MalformedXML"),
        (f"<Tagging><TagSet>{many}</TagSet></Tagging>", "BadRequest"),
        (f"<Tagging><TagSet>{twice}</TagSet></Tagging>", "InvalidTag"),
    ):
        assert refusal(post(raw, bucket, signed(bucket, {"key": "new", "tagging": wrong}))) == (400, code)
    assert raw("HEAD", f"/{bucket}/new").status == 404


@pytest.mark.catalogue("POST-014")
def test_fields_become_metadata_and_headers(raw: Raw, bucket: str) -> None:
    """The headers of an object are fields of the form; what the browser says of the file does not count."""
    sent = {
        "key": "k",
        "x-amz-meta-Test-1": "one",
        "x-amz-meta-test-2": "two words",
        "Content-Type": "text/plain",
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="a b"',
        "Content-Encoding": "identity",
        "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
        "x-amz-website-redirect-location": "/elsewhere",
    }
    assert post(raw, bucket, signed(bucket, sent)).status == 204
    found = raw("HEAD", f"/{bucket}/k").headers
    assert {name: found.get(name.lower()) for name in sent if name != "key"} == {
        name: value for name, value in sent.items() if name != "key"
    }
    sent = {"key": "k", "x-amz-website-redirect-location": "elsewhere"}
    assert refusal(post(raw, bucket, signed(bucket, sent))) == (400, "InvalidRedirectLocation")
    sent = {"key": "k", "x-amz-meta-m": "x" * 2048}
    assert refusal(post(raw, bucket, signed(bucket, sent))) == (400, "MetadataTooLarge")


@pytest.mark.catalogue("POST-015")
def test_a_form_names_a_storage_class(raw: Raw, bucket: str) -> None:
    """One that there is."""
    form = signed(bucket, {"key": "k", "x-amz-storage-class": "STANDARD_IA"})
    assert post(raw, bucket, form).status == 204
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-storage-class"] == "STANDARD_IA"
    form = signed(bucket, {"key": "new", "x-amz-storage-class": "FakeClass"})
    found = refusal(post(raw, bucket, form), "StorageClassRequested")
    assert found == (400, "InvalidStorageClass", "FakeClass")
    assert raw("HEAD", f"/{bucket}/new").status == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_form_may_say_what_its_file_adds_up_to(raw: Raw, bucket: str, algorithm: str) -> None:
    """By checksum or by MD5; what does not is not stored."""
    name = f"x-amz-checksum-{algorithm}"
    for digest in ({name: checksum(algorithm, CONTENT)}, md5_header(CONTENT)):
        assert post(raw, bucket, signed(bucket, {"key": "k", **digest})).status == 204
        assert refusal(post(raw, bucket, signed(bucket, {"key": "k", **digest}), b"other")) == (400, "BadDigest")
        assert stored(raw, f"/{bucket}/k") == CONTENT
    reply = post(raw, bucket, signed(bucket, {"key": "k", name: checksum(algorithm, CONTENT)}))
    assert reply.headers[name] == checksum(algorithm, CONTENT)
    assert refusal(post(raw, bucket, signed(bucket, {"key": "k", name: "none"}))) == (400, "InvalidRequest")
    assert refusal(post(raw, bucket, signed(bucket, {"key": "k", "Content-MD5": "none"}))) == (400, "InvalidDigest")


def test_a_form_encrypts_and_makes_versions(raw: Raw, bucket: str) -> None:
    """As any other write does, and the answer says so."""
    version(raw, bucket)
    reply = post(raw, bucket, signed(bucket, {"key": "k", **customer_key()}))
    assert reply.status == 204
    assert reply.headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    found = raw("GET", f"/{bucket}/k", headers=customer_key())
    assert (found.body, found.headers["x-amz-version-id"]) == (CONTENT, reply.headers["x-amz-version-id"])
    assert refusal(raw("GET", f"/{bucket}/k")) == (400, "InvalidRequest")


# Who may


def test_a_public_bucket_takes_forms_from_everybody(raw: Raw, bucket: str) -> None:
    """A policy allows what the form does, and nothing beside it."""
    set_policy(raw, bucket, statement(bucket, "s3:PutObject", resource="/inbox/*"))
    assert post(raw, bucket, {"key": "inbox/${filename}"}).status == 204
    assert stored(raw, f"/{bucket}/inbox/name.txt") == CONTENT
    document = f"<Tagging><TagSet>{TAG.format('a', 'b')}</TagSet></Tagging>"
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
    assert stored(raw, f"/{bucket}/a/b") == CONTENT


def test_what_comes_behind_the_file_is_ignored(raw: Raw, bucket: str) -> None:
    """So a form whose file comes first has no key."""
    form = signed(bucket, {"key": "k"})
    body = encode(form).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    end = part('name="key"', b"other") + part(FILE, b"other") + f"--{BOUNDARY}--\r\n".encode()
    assert raw("POST", f"/{bucket}", body + end, KIND, sign=False).status == 204
    assert stored(raw, f"/{bucket}/k") == CONTENT
    first = part(FILE, CONTENT) + encode(form, file=None)
    reply = raw("POST", f"/{bucket}", first, KIND, sign=False)
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "key")


def test_a_form_without_a_file_is_refused(raw: Raw, bucket: str) -> None:
    """As the argument that it lacks; an empty file is one."""
    reply = raw("POST", f"/{bucket}", encode(signed(bucket, {"key": "k"}), file=None), KIND, sign=False)
    assert refusal(reply, "ArgumentName", "ArgumentValue") == (400, "InvalidArgument", "file", "0")
    assert post(raw, bucket, signed(bucket, {"key": "k"}), b"").status == 204
    assert stored(raw, f"/{bucket}/k") == b""


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
    assert stored(raw, f"/{bucket}/k") == content


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
