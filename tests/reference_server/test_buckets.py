"""Buckets and the service root. Ids are those of the behaviour catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Raw, Running

OTHER = ("OTHERKEY", "other-secret")


@pytest.mark.catalogue("BKT-001", "BKT-012", "BKT-013", "BKT-014")
def test_a_bucket_lives_and_dies(raw: Raw) -> None:
    created = raw("PUT", "/a-life")
    assert (created.status, created.headers["location"], created.body) == (200, "/a-life", b"")
    assert raw("PUT", "/a-life").status == 200
    head = raw("HEAD", "/a-life")
    assert (head.status, head.headers["x-amz-bucket-region"], head.body) == (200, "us-east-1", b"")
    raw("PUT", "/a-life/k", b"x")
    full = raw("DELETE", "/a-life")
    assert (full.status, full.code, full.element("BucketName")) == (409, "BucketNotEmpty", "a-life")
    raw("DELETE", "/a-life/k")
    assert raw("DELETE", "/a-life").status == 204
    for reply in (raw("DELETE", "/a-life"), raw("GET", "/a-life?location"), raw("PUT", "/a-life/k", b"x")):
        assert (reply.status, reply.code, reply.element("BucketName")) == (404, "NoSuchBucket", "a-life")
    assert raw("POST", "/a-life/k?uploads").code == "NoSuchBucket"
    assert raw("HEAD", "/a-life").status == 404


@pytest.mark.catalogue("BKT-006")
@pytest.mark.parametrize(
    "name",
    [
        *("Upper", "under_score", "ab", "a" * 64, "-dash", "dash-", "dots..dots", "192.168.1.1", "xn--abc"),
        *("abc-s3alias", "a.mrap", "x y"),
    ],
)
def test_bkt_006_bad_names(raw: Raw, name: str) -> None:
    reply = raw("PUT", f"/{name.replace(' ', '%20')}")
    assert (reply.status, reply.code, reply.element("BucketName")) == (400, "InvalidBucketName", name)


@pytest.mark.catalogue("BKT-008")
@pytest.mark.parametrize("name", ["abc", "a" * 63, "with.dots.inside", "1-2-3"])
def test_bkt_008_good_names(raw: Raw, name: str) -> None:
    assert raw("PUT", f"/{name}").status == 200
    assert raw("PUT", f"/{name}/k", b"x").status == 200
    assert raw("GET", f"/{name}/k").body == b"x"
    assert raw("DELETE", f"/{name}/k").status == 204
    assert raw("DELETE", f"/{name}").status == 204


@pytest.mark.catalogue("BKT-005")
def test_accounts_are_apart(running: Running, raw: Raw, bucket: str) -> None:
    other = running.raw(OTHER)
    raw("PUT", f"/{bucket}/k", b"secret")
    taken = other("PUT", f"/{bucket}")
    assert (taken.status, taken.code) == (409, "BucketAlreadyExists")
    replies = [other("GET", f"/{bucket}/k"), other("GET", f"/{bucket}"), other("PUT", f"/{bucket}/k", b"x")]
    replies += [other("DELETE", f"/{bucket}/k"), other("DELETE", f"/{bucket}"), other("GET", f"/{bucket}?uploads")]
    assert [(reply.status, reply.code) for reply in replies] == [(403, "AccessDenied")] * 6
    assert other("HEAD", f"/{bucket}").status == 403
    assert bucket not in other("GET", "/").elements("Name")
    other("PUT", f"/{bucket}-x")
    reply = other("PUT", f"/{bucket}-x/k", headers={"x-amz-copy-source": f"{bucket}/k"})
    assert reply.code == "AccessDenied"


@pytest.mark.catalogue("BKT-017")
def test_expected_owner(raw: Raw, bucket: str) -> None:
    name = "x-amz-expected-bucket-owner"
    assert raw("HEAD", f"/{bucket}", headers={name: "000000000000"}).status == 403
    assert raw("HEAD", f"/{bucket}", headers={name: "0000"}).status == 400
    assert raw("GET", f"/{bucket}", headers={name: "0000"}).code == "InvalidBucketOwnerAWSAccountID"


@pytest.mark.catalogue("BKT-010")
def test_location_constraints(raw: Raw, frankfurt: Running) -> None:
    def create(client: Raw, constraint: str) -> tuple[int, str]:
        text = f"<LocationConstraint>{constraint}</LocationConstraint>" if constraint else ""
        document = f"<CreateBucketConfiguration>{text}</CreateBucketConfiguration>".encode()
        reply = client("PUT", "/constrained", document)
        return reply.status, reply.code

    far = frankfurt.raw()
    assert create(raw, "us-east-1") == (400, "InvalidLocationConstraint")
    assert create(raw, "nowhere-1") == (400, "InvalidLocationConstraint")
    assert create(far, "") == (400, "IllegalLocationConstraintException")
    assert create(far, "eu-west-1") == (400, "IllegalLocationConstraintException")
    assert create(far, "eu-central-1") == (200, "")
    again = far("PUT", "/constrained", b"")
    assert again.code == "IllegalLocationConstraintException"
    assert create(far, "eu-central-1") == (409, "BucketAlreadyOwnedByYou")
    assert far("GET", "/constrained?location").element("LocationConstraint") == ""
    assert b">eu-central-1</LocationConstraint>" in far("GET", "/constrained?location").body
    assert raw("PUT", "/constrained", b"nonsense").code == "MalformedXML"


def test_bkt_011_location_of_us_east_1_is_empty(raw: Raw, bucket: str) -> None:
    namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    assert (
        raw("GET", f"/{bucket}?location")
        .body.decode()
        .endswith(f"<LocationConstraint {namespace}></LocationConstraint>")
    )


def test_list_buckets(running: Running) -> None:
    raw = running.raw(OTHER)
    for name in ("page-b", "page-a", "page-c", "else"):
        raw("PUT", f"/{name}")
    whole = raw("GET", "/")
    names = whole.elements("Name")
    assert names == sorted(names)
    assert whole.body.index(b"<Owner>") < whole.body.index(b"<Buckets>")
    assert whole.element("CreationDate").endswith(".000Z")
    assert whole.elements("BucketRegion") == []
    first = raw("GET", "/?max-buckets=2&prefix=page-")
    assert (first.elements("Name"), first.element("Prefix")) == (["page-a", "page-b"], "page-")
    assert first.elements("BucketRegion") == ["us-east-1"] * 2
    second = raw("GET", f"/?prefix=page-&continuation-token={first.element('ContinuationToken')}")
    assert (second.elements("Name"), second.elements("ContinuationToken")) == (["page-c"], [])
    assert raw("GET", "/?continuation-token=").status == 200
    assert raw("GET", "/?bucket-region=eu-west-1").elements("Name") == []
    for wrong, name in (("bucket-region=x", "bucket-region"), ("max-buckets=0", "max-buckets")):
        reply = raw("GET", f"/?{wrong}")
        assert (reply.code, reply.element("ArgumentName")) == ("InvalidArgument", name)


def test_read_only_configuration(raw: Raw, bucket: str) -> None:
    assert raw("GET", f"/{bucket}?versioning").elements("Status") == []
    acl = raw("GET", f"/{bucket}?acl")
    assert acl.element("Permission") == "FULL_CONTROL"
    assert 'xsi:type="CanonicalUser"' in acl.body.decode()
    raw("PUT", f"/{bucket}/k", b"x")
    assert raw("GET", f"/{bucket}/k?acl").element("Permission") == "FULL_CONTROL"
    assert raw("GET", f"/{bucket}/none?acl").code == "NoSuchKey"


def test_create_bucket_refuses_what_it_would_ignore(raw: Raw) -> None:
    directory = b"<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>"
    assert raw("PUT", "/refused-bucket", directory).code == "NotImplemented"
    reply = raw("PUT", "/refused-bucket", headers={"x-amz-acl": "public-read"})
    assert reply.code == "InvalidBucketAclWithObjectOwnership"
    assert raw("HEAD", "/refused-bucket").status == 404


def test_virtual_hosted_style(raw: Raw, bucket: str) -> None:
    host = f"{bucket}.localhost:{raw.address[1]}"
    assert raw("PUT", "/virtual/key", b"x", host=host).status == 200
    assert raw("GET", f"/{bucket}/virtual/key").body == b"x"
    assert raw("GET", "/?list-type=2", host=host).element("Key") == "virtual/key"
    created = raw("POST", "/m?uploads", host=host)
    assert created.element("Bucket") == bucket


# Listing through HTTP


@pytest.fixture
def tree(raw: Raw, bucket: str) -> str:
    for key in ("a", "b/1", "b/2", "b/c/3", "d", "e%2Bf%20g"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    return f"/{bucket}"


def test_version_2_pages(raw: Raw, tree: str) -> None:
    for size in range(1, 6):
        entries, token, pages = [], "", 0
        while True:
            query = f"list-type=2&delimiter=%2F&max-keys={size}" + (f"&continuation-token={token}" if token else "")
            page = raw("GET", f"{tree}?{query}")
            keys = page.elements("Key")
            prefixes = [
                text.removeprefix("<Prefix>").removesuffix("</Prefix>") for text in page.elements("CommonPrefixes")
            ]
            assert page.element("KeyCount") == str(len(keys) + len(prefixes))
            assert page.element("ContinuationToken") == token
            entries += keys + prefixes
            pages += 1
            token = page.element("NextContinuationToken")
            assert (page.element("IsTruncated") == "true") == bool(token)
            if not token:
                break
            assert token not in keys
        assert sorted(entries) == ["a", "b/", "d", "e+f g"]
        assert pages == -(-4 // size)


def test_version_2_details(raw: Raw, tree: str) -> None:
    page = raw("GET", f"{tree}?list-type=2&start-after=b%2F2&max-keys=2")
    assert (page.elements("Key"), page.element("StartAfter")) == (["b/c/3", "d"], "b/2")
    token = page.element("NextContinuationToken")
    page = raw("GET", f"{tree}?list-type=2&start-after=zzz&continuation-token={token}")
    assert (page.elements("Key"), page.elements("StartAfter")) == (["e+f g"], [])
    assert page.elements("Owner") == []
    assert raw("GET", f"{tree}?list-type=2&fetch-owner=true").elements("Owner") != []
    encoded = raw("GET", f"{tree}?list-type=2&encoding-type=url&prefix=e")
    assert (encoded.element("Key"), encoded.element("EncodingType")) == ("e%2Bf+g", "url")
    empty = raw("GET", f"{tree}?list-type=2&max-keys=0")
    assert (empty.element("KeyCount"), empty.element("IsTruncated")) == ("0", "false")
    assert page.headers["x-amz-bucket-region"] == "us-east-1"
    for query, name in (
        ("continuation-token=", "continuation-token"),
        ("continuation-token=abc", "continuation-token"),
        ("encoding-type=", "encoding-type"),
        ("max-keys=x", "max-keys"),
        ("max-keys=-1", "max-keys"),
        ("max-keys=--1", "max-keys"),
    ):
        reply = raw("GET", f"{tree}?list-type=2&{query}")
        assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", name)
    assert raw("GET", f"{tree}?list-type=3").code == "InvalidArgument"


def test_version_1_details(raw: Raw, tree: str, bucket: str) -> None:
    whole = raw("GET", tree)
    assert whole.elements("Key") == ["a", "b/1", "b/2", "b/c/3", "d", "e+f g"]
    found = [whole.element(name) for name in ("Name", "Prefix", "Marker", "MaxKeys", "IsTruncated", "StorageClass")]
    assert found == [bucket, "", "", "1000", "false", "STANDARD"]
    assert len(whole.element("LastModified")) == 24
    assert whole.element("ID") != ""
    assert raw("GET", f"{tree}?max-keys=1").elements("NextMarker") == []
    page = raw("GET", f"{tree}?max-keys=2&delimiter=%2F")
    assert page.element("NextMarker") == "b/"
    for marker in ("b%2F", "b%2F1", "b%2Fzzz"):
        assert raw("GET", f"{tree}?delimiter=%2F&marker={marker}").elements("Key") == ["d", "e+f g"]
    literal = raw("GET", f"{tree}?delimiter=%252F&encoding-type=url")
    assert (literal.element("Delimiter"), literal.elements("CommonPrefixes")) == ("%252F", [])
    assert "Delimiter" not in raw("GET", f"{tree}?delimiter=").body.decode()
    assert raw("GET", f"{tree}?start-after=a").code == "InvalidArgument"
