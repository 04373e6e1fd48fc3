"""Defects of tags, settings, locks, encryption, cross-origin requests and websites."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.reference_server.catalogue.steps import md5_header
from tests.reference_server.defects.probing import TEN, Lab, Probe, empty, names_in, one

MODULES = ("operation_tags", "operation_settings", "operation_locks", "serialise_settings", "wire_browsers")
CANNED, OTHER_WORD = {"x-amz-acl": "no-such-acl"}, (400, "InvalidArgument")
PAGE, ORIGIN = "https://app.example.com", {"Origin": "https://app.example.com"}
ASKED = {**ORIGIN, "Access-Control-Request-Method": "GET"}
KEY = {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "x-amz-server-side-encryption-customer-key-MD5": "KYvwGXoFFJ42a2u2GDWhwQ==",
}
KMS = {"x-amz-server-side-encryption": "aws:kms"}
NO_KEY = {**KMS, "x-amz-server-side-encryption-aws-kms-key-id": "00000000-0000-0000-0000-000000000000"}
HOLD = {"x-amz-object-lock-legal-hold": "ON"}
RETENTION = b"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>"
RULE = "<Rule><ID>a</ID><Status>Enabled</Status>{}<Expiration><Days>1</Days></Expiration></Rule>"
LIFECYCLE = f"<LifecycleConfiguration>{RULE}</LifecycleConfiguration>"
CORS = (
    "<CORSConfiguration><CORSRule><AllowedOrigin>{}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
    "</CORSConfiguration>"
)
SITE = "<WebsiteConfiguration><IndexDocument><Suffix>{}</Suffix></IndexDocument></WebsiteConfiguration>"
READERS = (
    '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],'
    '"Resource":["arn:aws:s3:::{0}","arn:aws:s3:::{0}/*"]}}]}}'
)
OK, GONE = (200, ""), (204, "")


def tags(*pairs: tuple[str, str]) -> bytes:
    """A tag document."""
    found = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in pairs)
    return f"<Tagging><TagSet>{found}</TagSet></Tagging>".encode()


def answer(
    method: str,
    suffix: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    digest: bool = True,
    sign: bool = True,
) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of one request to a bucket, or to something in it."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        sent = {**(md5_header(body) if body and digest else {}), **(headers or {})}
        reply = lab.raw(method, f"/{bucket}{suffix}", body, sent, sign=sign)
        return reply.status, reply.code if reply.status >= 400 else ""

    return ask


def shown(
    header: str, suffix: str = "/key", method: str = "HEAD", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Callable[[Lab, str], str | None]:
    """A header of one answer."""
    return lambda lab, bucket: lab.raw(method, f"/{bucket}{suffix}", body, headers).headers.get(header)


def after(*steps: Callable[[Lab, str], Any], last: Callable[[Lab, str], Any]) -> Callable[[Lab, str], Any]:
    """What the last step sees once the others were done."""

    def ask(lab: Lab, bucket: str) -> Any:
        for step in steps:
            step(lab, bucket)
        return last(lab, bucket)

    return ask


def tag_values(lab: Lab, bucket: str) -> list[str]:
    """The tags of the object."""
    return lab.raw("GET", f"/{bucket}/key?tagging").elements("Value")


def settled(suffix: str, body: str, start: Callable[[Lab], str] = one) -> Callable[[Lab], str]:
    """A bucket with a setting."""

    def given(lab: Lab) -> str:
        bucket = start(lab)
        assert answer("PUT", suffix, body.format(bucket).encode())(lab, bucket)[0] < 300
        return bucket

    return given


def locked(**headers: str) -> Callable[[Lab], str]:
    """A bucket with object lock, with the object `key` kept as the headers say."""

    def given(lab: Lab) -> str:
        bucket = lab.bucket()
        assert lab.raw("DELETE", f"/{bucket}").status == 204
        assert lab.raw("PUT", f"/{bucket}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
        named = {f"x-amz-object-lock-{name.replace('_', '-')}": value for name, value in headers.items()}
        assert lab.raw("PUT", f"/{bucket}/key", TEN, {**named, **md5_header(TEN)}).status == 200
        return bucket

    return given


def kept(mode: str) -> Callable[[Lab], str]:
    """An object under retention for a minute."""

    def given(lab: Lab) -> str:
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return locked(mode=mode, retain_until_date=until)(lab)

    return given


def removal(*, bypass: bool) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of deleting the version of the object by its id."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        version = lab.raw("GET", f"/{bucket}?versions").element("VersionId")
        headers = {"x-amz-bypass-governance-retention": "true"} if bypass else {}
        return answer("DELETE", f"/key?versionId={version}", headers=headers)(lab, bucket)

    return ask


def site(lab: Lab) -> str:
    """A website whose page is `dir/index.html`."""
    bucket = lab.bucket()
    assert lab.raw("DELETE", f"/{bucket}?publicAccessBlock").status == 204
    for suffix, body in (("?policy", READERS.format(bucket)), ("?website", SITE.format("index.html"))):
        assert answer("PUT", suffix, body.encode())(lab, bucket)[0] < 300
    assert lab.raw("PUT", f"/{bucket}/dir/index.html", TEN).status == 200
    return bucket


def visit(path: str) -> Callable[[Lab, str], int]:
    """Status of a visit to the website."""

    def ask(lab: Lab, bucket: str) -> int:
        host = lab.raw.host.replace("127.0.0.1", f"{bucket}.s3-website.localhost")
        return lab.raw("GET", path, host=host, sign=False).status

    return ask


READ_FROM_PAGE = shown("access-control-allow-origin", "/key", "GET", ORIGIN)
FROM_ELSEWHERE = shown("access-control-allow-origin", "/key", "GET", {"Origin": "https://evil.example.net"})
PREFLIGHT = answer("OPTIONS", "/key", headers=ASKED, sign=False)
GRANTED = {"x-amz-grant-read": "uri=http://acs.amazonaws.com/groups/s3/LogDelivery"}


def new_with_grant(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of creating the bucket anew with a grant."""
    assert lab.raw("DELETE", f"/{bucket}").status == 204
    return answer("PUT", "", headers=GRANTED)(lab, bucket)


def block_of_new(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of the public access block of a bucket that is created anew."""
    assert lab.raw("DELETE", f"/{bucket}").status == 204
    assert lab.raw("PUT", f"/{bucket}").status == 200
    return answer("GET", "?publicAccessBlock")(lab, bucket)


def restored(lab: Lab, bucket: str) -> bool:
    """Whether an archived object tells that it was restored."""
    assert lab.raw("PUT", f"/{bucket}/cold", TEN, {"x-amz-storage-class": "GLACIER"}).status == 200
    document = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
    assert lab.raw("POST", f"/{bucket}/cold?restore", document, md5_header(document)).status == 202
    return "x-amz-restore" in lab.raw("HEAD", f"/{bucket}/cold").headers


def tagged(header: str, value: str) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of an upload with one header."""
    return answer("PUT", "/new", TEN, {header: value}, digest=False)


PROBES = {
    "acls-unchecked": Probe(answer("PUT", "?acl", headers=CANNED), OTHER_WORD, OK),
    "compliance-bypassed": Probe(removal(bypass=True), (403, "AccessDenied"), GONE, kept("COMPLIANCE")),
    "cors-open-to-all": Probe(PREFLIGHT, (403, "AccessForbidden"), OK, empty),
    "cors-origin-unchecked": Probe(FROM_ELSEWHERE, None, "https://evil.example.net", settled("?cors", CORS)),
    "cors-preflight-only": Probe(READ_FROM_PAGE, PAGE, None, settled("?cors", CORS.format(PAGE))),
    "cors-rules-unchecked": Probe(
        answer("PUT", "?cors", CORS.format("a*b*").encode()), (400, "InvalidRequest"), OK, empty
    ),
    "customer-keys-ignored": Probe(
        after(answer("PUT", "/new", TEN, KEY), last=answer("GET", "/new")), (400, "InvalidRequest"), OK
    ),
    "empty-tag-set-refused": Probe(answer("PUT", "/key?tagging", tags()), OK, (400, "MalformedXML")),
    "encryption-untold": Probe(shown("x-amz-server-side-encryption"), "AES256", None),
    "faulty-locks-dropped": Probe(
        answer("PUT", "/new", TEN, HOLD, digest=False), (400, "InvalidRequest"), OK, locked()
    ),
    "grants-of-new-bucket-ignored": Probe(new_with_grant, (400, "InvalidBucketAclWithObjectOwnership"), OK, empty),
    "kms-key-ignored": Probe(answer("PUT", "/new", TEN, NO_KEY), (400, "KMS.NotFoundException"), OK),
    "kms-taken-for-aes256": Probe(shown("x-amz-server-side-encryption", "/new", "PUT", KMS, TEN), "aws:kms", "AES256"),
    "lifecycle-unchecked": Probe(
        answer("PUT", "?lifecycle", LIFECYCLE.format("").encode()), (400, "MalformedXML"), OK, empty
    ),
    "lifecycle-untold": Probe(
        shown("x-amz-transition-default-minimum-object-size", "?lifecycle", "GET"),
        "all_storage_classes_128K",
        None,
        settled("?lifecycle", LIFECYCLE.format("<Filter/>")),
    ),
    "lock-untold": Probe(shown("x-amz-object-lock-legal-hold"), "ON", None, locked(legal_hold="ON")),
    "locks-without-bucket-lock": Probe(answer("PUT", "/key?retention", RETENTION), (400, "InvalidRequest"), OK),
    "new-buckets-unsettled": Probe(block_of_new, OK, (404, "NoSuchPublicAccessBlockConfiguration"), empty),
    "policy-unchecked": Probe(answer("PUT", "?policy", b"no JSON"), (400, "MalformedPolicy"), OK),
    "restore-forgotten": Probe(restored, True, False),
    "retention-not-enforced": Probe(removal(bypass=False), (403, "AccessDenied"), GONE, kept("GOVERNANCE")),
    "settings-unchecked": Probe(answer("PUT", "?website", SITE.format("a/b").encode()), (400, "InvalidArgument"), OK),
    "tagging-count-untold": Probe(shown("x-amz-tagging-count"), "1", None),
    "tagging-header-ignored": Probe(
        after(tagged("x-amz-tagging", "a=1,b=2"), last=tagged("x-amz-tagging", "a=b=c")), OTHER_WORD, OK
    ),
    "tagging-needs-digest": Probe(
        answer("PUT", "/key?tagging", tags(("a", "c")), digest=False), OK, (400, "InvalidRequest")
    ),
    "tags-of-nothing": Probe(answer("PUT", "/missing?tagging", tags(("a", "b"))), (404, "NoSuchKey"), OK),
    "tags-outlive-overwrite": Probe(after(answer("PUT", "/key", TEN), last=tag_values), [], ["b"]),
    "tags-unchecked": Probe(answer("PUT", "?tagging", tags(("aws:a", "b"))), (400, "InvalidTag"), OK),
    "website-errors-are-200": Probe(visit("/missing"), 404, 200, site),
    "website-is-plain-bucket": Probe(visit("/dir"), 302, 404, site),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert set().union(*map(names_in, MODULES)) == PROBES.keys()


@pytest.mark.parametrize("name", sorted(PROBES))
def test_an_ordinary_object_is_stored_and_read(lab: Lab, name: str) -> None:
    stored = after(answer("PUT", "/new", TEN), last=lambda lab, bucket: lab.raw("GET", f"/{bucket}/new").body)
    assert Probe(stored, None, None, empty).observe(lab, name) == TEN


@pytest.mark.parametrize("bypass", [True, False])
def test_a_version_without_a_lock_can_be_deleted(lab: Lab, *, bypass: bool) -> None:
    for name in names_in("operation_locks"):
        assert Probe(removal(bypass=bypass), None, None, locked()).observe(lab, name) == GONE


def test_bypassing_compliance_still_needs_the_bypass(lab: Lab) -> None:
    found = Probe(removal(bypass=False), None, None, kept("GOVERNANCE")).observe(lab, "compliance-bypassed")
    assert found == (403, "AccessDenied")


def test_tags_of_an_upload_count_where_they_outlive_others(lab: Lab) -> None:
    upload = answer("PUT", "/key", TEN, {"x-amz-tagging": "a=c"})
    assert Probe(after(upload, last=tag_values), None, None).observe(lab, "tags-outlive-overwrite") == ["c"]
