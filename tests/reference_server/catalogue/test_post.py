"""Uploads by browser forms: catalogue family POST."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from reference_server.auth import Credential
from tests.reference_server.catalogue.forms import KIND, encode, post, signed
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
    reply = raw("POST", f"/{bucket}", body, KIND, sign=False)
    assert refusal(reply, "Size", "MaxSizeAllowed") == (400, "KeyTooLongError", "1026", "1024")
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


def test_the_least_size_is_of_the_whole_file(raw: Raw, bucket: str) -> None:
    """However little of it has come so far."""
    form = signed(bucket, {"key": "k"}, ["content-length-range", 800_000, 1_000_000])
    assert post(raw, bucket, form, b"x" * 900_000).status == 204
    assert refusal(post(raw, bucket, form, b"x" * 700_000)) == (400, "EntityTooSmall")


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
