"""BKT: creating, looking up and deleting buckets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import fill, put_document, refusal, texts, tree, version

if TYPE_CHECKING:
    from conftest import Raw, Running

EXPECTED = "x-amz-expected-bucket-owner"


def creation(*elements: str) -> bytes:
    """The document of CreateBucket."""
    return f"<CreateBucketConfiguration>{''.join(elements)}</CreateBucketConfiguration>".encode()


def constraint(region: str) -> str:
    """The element that names a region."""
    return f"<LocationConstraint>{region}</LocationConstraint>"


def tag(key: str, value: str) -> str:
    """A tag as an element."""
    return f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"


def policy(bucket: str) -> str:
    """A policy that allows nobody anything new."""
    resource = f"arn:aws:s3:::{bucket}/none"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.catalogue("BKT-002")
def test_a_bucket_is_looked_up_without_a_body(raw: Raw, bucket: str) -> None:
    """An existing one shows its region, a missing one nothing but the status."""
    for name, status in ((bucket, 200), ("no-such-bucket-here", 404)):
        with raw.connect() as sock:
            sock.sendall(raw.bytes_of("HEAD", f"/{name}", headers={"Connection": "close"}))
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert body == b""
    assert raw("HEAD", f"/{bucket}").headers["x-amz-bucket-region"] == "us-east-1"


@pytest.mark.catalogue("BKT-003")
def test_creating_ones_own_bucket_again_changes_nothing_in_us_east_1(raw: Raw, bucket: str) -> None:
    """Its objects and settings stay."""
    fill(raw, bucket, "k")
    version(raw, bucket)
    assert raw("PUT", f"/{bucket}").status == 200
    assert texts(tree(raw("GET", f"/{bucket}")), "Contents/Key") == ["k"]
    assert tree(raw("GET", f"/{bucket}?versioning")).findtext("Status") == "Enabled"


@pytest.mark.catalogue("BKT-004")
def test_creating_ones_own_bucket_again_is_a_conflict_elsewhere(frankfurt: Running) -> None:
    """The error names the bucket."""
    raw = frankfurt.raw()
    document = creation(constraint("eu-central-1"))
    assert raw("PUT", "/created-twice", document).status == 200
    reply = raw("PUT", "/created-twice", document)
    assert refusal(reply, "BucketName") == (409, "BucketAlreadyOwnedByYou", "created-twice")


@pytest.mark.catalogue("BKT-009")
@pytest.mark.parametrize("region", ["us-east-1", "nowhere-1"])
def test_us_east_1_takes_neither_itself_nor_the_unknown_as_a_constraint(raw: Raw, region: str) -> None:
    """The error names the value, and no bucket is created."""
    reply = raw("PUT", "/never-created", creation(constraint(region)))
    assert refusal(reply, "LocationConstraint") == (400, "InvalidLocationConstraint", region)
    assert raw("HEAD", "/never-created").status == 404


@pytest.mark.catalogue("BKT-011")
def test_the_location_is_empty_in_us_east_1_and_the_region_elsewhere(raw: Raw, bucket: str, frankfurt: Running) -> None:
    """It is the text of the root element itself."""
    far = frankfurt.raw()
    far("PUT", f"/{bucket}", creation(constraint("eu-central-1")))
    for client, text in ((raw, None), (far, "eu-central-1")):
        reply = client("GET", f"/{bucket}?location")
        root = tree(reply)
        assert (reply.status, root.tag, root.text, len(root)) == (200, "LocationConstraint", text, 0)


@pytest.mark.catalogue("BKT-015")
def test_a_bucket_with_old_versions_or_markers_is_not_empty(raw: Raw, bucket: str) -> None:
    """A list of objects shows nothing any more, yet there is something to lose."""
    version(raw, bucket)
    stored = raw("PUT", f"/{bucket}/k", b"x").headers["x-amz-version-id"]
    marker = raw("DELETE", f"/{bucket}/k").headers["x-amz-version-id"]
    assert texts(tree(raw("GET", f"/{bucket}")), "Contents/Key") == []
    for doomed in (stored, marker):
        assert refusal(raw("DELETE", f"/{bucket}"), "BucketName") == (409, "BucketNotEmpty", bucket)
        assert raw("DELETE", f"/{bucket}/k?versionId={doomed}").status == 204
    assert raw("DELETE", f"/{bucket}").status == 204


SETTINGS = {
    "tagging": f"<Tagging><TagSet>{tag('a', 'b')}</TagSet></Tagging>",
    "cors": (
        "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
        "</CORSConfiguration>"
    ),
    "lifecycle": (
        "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>"
        "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
    ),
    "policy": "",
}


@pytest.mark.catalogue("BKT-016")
def test_a_bucket_created_anew_has_nothing_of_its_predecessor(raw: Raw, bucket: str) -> None:
    """Neither versioning nor any other configuration outlives a bucket."""
    version(raw, bucket)
    for name, document in SETTINGS.items():
        assert put_document(raw, f"/{bucket}?{name}", document or policy(bucket)).status in (200, 204), name
        assert raw("GET", f"/{bucket}?{name}").status == 200, name
    assert raw("DELETE", f"/{bucket}").status == 204
    assert raw("PUT", f"/{bucket}").status == 200
    assert {name: raw("GET", f"/{bucket}?{name}").status for name in SETTINGS} == dict.fromkeys(SETTINGS, 404)
    assert tree(raw("GET", f"/{bucket}?versioning")).find("Status") is None


@pytest.mark.catalogue("BKT-018")
@pytest.mark.parametrize(
    ("owner", "status", "code"),
    [
        ("0000", 400, "InvalidBucketOwnerAWSAccountID"),
        ("12345678901x", 400, "InvalidBucketOwnerAWSAccountID"),
        ("000000000000", 403, "AccessDenied"),
    ],
)
def test_a_policy_is_shown_only_if_the_expected_owner_is_right(
    raw: Raw, bucket: str, owner: str, status: int, code: str
) -> None:
    """What is no account number is told apart from the number of another account."""
    put_document(raw, f"/{bucket}?policy", policy(bucket))
    assert refusal(raw("GET", f"/{bucket}?policy", headers={EXPECTED: owner})) == (status, code)
    assert raw("GET", f"/{bucket}?policy").status == 200


@pytest.mark.catalogue("BKT-019")
def test_nothing_can_be_written_to_a_missing_bucket(raw: Raw) -> None:
    """Neither an object nor the beginning of an upload; the error names the bucket."""
    path = "/no-such-bucket-here"
    for reply in (raw("PUT", f"{path}/k", b"x"), raw("POST", f"{path}/k?uploads")):
        assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("BKT-020")
@pytest.mark.parametrize("document", [b"nonsense", b"<CreateBucketConfiguration>", b"<Other/>"])
def test_a_creation_document_that_is_none_creates_nothing(raw: Raw, document: bytes) -> None:
    """It must be XML, and the right document."""
    assert refusal(raw("PUT", "/never-created", document)) == (400, "MalformedXML")
    assert raw("HEAD", "/never-created").status == 404


@pytest.mark.catalogue("BKT-021")
def test_a_bucket_can_be_created_with_tags(raw: Raw) -> None:
    """They are those that GetBucketTagging shows."""
    document = creation(f"<Tags>{tag('team', 'storage')}{tag('empty', '')}</Tags>")
    assert raw("PUT", "/created-with-tags", document).status == 200
    tags = tree(raw("GET", "/created-with-tags?tagging")).findall("TagSet/Tag")
    found = {element.findtext("Key"): element.findtext("Value") for element in tags}
    assert found == {"team": "storage", "empty": ""}


@pytest.mark.catalogue("BKT-022")
def test_a_bucket_cannot_be_created_again_with_tags(raw: Raw, bucket: str) -> None:
    """Even where a plain repetition is welcome; the bucket stays as it was."""
    reply = raw("PUT", f"/{bucket}", creation(f"<Tags>{tag('a', 'b')}</Tags>"))
    assert refusal(reply, "BucketName") == (409, "BucketAlreadyOwnedByYou", bucket)
    assert raw("GET", f"/{bucket}?tagging").code == "NoSuchTagSet"
