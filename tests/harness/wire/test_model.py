"""Requests are built and answers read by the service model's shapes, and by nothing else of botocore."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import scenario
from harness.wire import model
from harness.wire.model import build, read
from harness.wire.xml import parse

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
UPLOAD = {"Bucket": "b", "Key": "k", "UploadId": "u+/="}
PART = "/b/k?uploadId=u%2B%2F%3D&partNumber="


@pytest.mark.parametrize(
    ("operation", "params", "method", "target", "headers", "body"),
    [
        ("ListBuckets", {}, "GET", "/", [], ""),
        ("CreateBucket", {"Bucket": "b"}, "PUT", "/b", [], ""),
        (
            "CreateBucket",
            {"Bucket": "b", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
            "PUT",
            "/b",
            [],
            (
                f'<CreateBucketConfiguration xmlns="{NAMESPACE}"><LocationConstraint>eu-west-1</LocationConstraint>'
                "</CreateBucketConfiguration>"
            ),
        ),
        ("HeadBucket", {"Bucket": "b"}, "HEAD", "/b", [], ""),
        ("DeleteBucket", {"Bucket": "b"}, "DELETE", "/b", [], ""),
        ("GetBucketLocation", {"Bucket": "b"}, "GET", "/b?location", [], ""),
        (
            "PutObject",
            {"Bucket": "b", "Key": "k", "Body": b"\x00\xff", "ContentType": "a/b", "Metadata": {"A-b": "c"}},
            "PUT",
            "/b/k",
            [("Content-Type", "a/b"), ("x-amz-meta-A-b", "c")],
            b"\x00\xff",
        ),
        ("GetObject", {"Bucket": "b", "Key": "k", "Range": "bytes=0-1"}, "GET", "/b/k", [("Range", "bytes=0-1")], ""),
        (
            "GetObject",
            {"Bucket": "b", "Key": "k", "ResponseContentType": "a/b; c"},
            "GET",
            "/b/k?response-content-type=a%2Fb%3B%20c",
            [],
            "",
        ),
        ("HeadObject", {"Bucket": "b", "Key": "k", "PartNumber": 1}, "HEAD", "/b/k?partNumber=1", [], ""),
        ("DeleteObject", {"Bucket": "b", "Key": "k"}, "DELETE", "/b/k", [], ""),
        (
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "a&<\r\n"}, {"Key": "\u00e9"}], "Quiet": True}},
            "POST",
            "/b?delete",
            [],
            (
                f'<Delete xmlns="{NAMESPACE}"><Object><Key>a&amp;&lt;&#13;\n</Key></Object>'
                "<Object><Key>\u00e9</Key></Object><Quiet>true</Quiet></Delete>"
            ),
        ),
        (
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "b/a%20b", "MetadataDirective": "REPLACE"},
            "PUT",
            "/b/k",
            [("x-amz-copy-source", "b/a%20b"), ("x-amz-metadata-directive", "REPLACE")],
            "",
        ),
        ("ListObjects", {"Bucket": "b", "Delimiter": "/", "MaxKeys": 0}, "GET", "/b?delimiter=%2F&max-keys=0", [], ""),
        (
            "ListObjectsV2",
            {"Bucket": "b", "Prefix": "", "FetchOwner": False, "ContinuationToken": "a+/="},
            "GET",
            "/b?list-type=2&prefix=&fetch-owner=false&continuation-token=a%2B%2F%3D",
            [],
            "",
        ),
        ("CreateMultipartUpload", {"Bucket": "b", "Key": "k"}, "POST", "/b/k?uploads", [], ""),
        ("UploadPart", {**UPLOAD, "PartNumber": 3, "Body": b"x"}, "PUT", f"{PART}3", [], "x"),
        (
            "UploadPartCopy",
            {**UPLOAD, "PartNumber": 1, "CopySource": "b/s", "CopySourceRange": "bytes=0-4"},
            "PUT",
            f"{PART}1",
            [("x-amz-copy-source", "b/s"), ("x-amz-copy-source-range", "bytes=0-4")],
            "",
        ),
        (
            "CompleteMultipartUpload",
            {**UPLOAD, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"e"'}]}},
            "POST",
            "/b/k?uploadId=u%2B%2F%3D",
            [],
            (
                f'<CompleteMultipartUpload xmlns="{NAMESPACE}"><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part>'
                "</CompleteMultipartUpload>"
            ),
        ),
        ("AbortMultipartUpload", UPLOAD, "DELETE", "/b/k?uploadId=u%2B%2F%3D", [], ""),
        ("ListParts", {**UPLOAD, "MaxParts": 2}, "GET", "/b/k?uploadId=u%2B%2F%3D&max-parts=2", [], ""),
        ("ListMultipartUploads", {"Bucket": "b", "Prefix": "p"}, "GET", "/b?uploads&prefix=p", [], ""),
        (
            "PutObjectTagging",
            {"Bucket": "b", "Key": "k", "Tagging": {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]}},
            "PUT",
            "/b/k?tagging",
            [],
            (
                f'<Tagging xmlns="{NAMESPACE}"><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key>'
                "<Value></Value></Tag></TagSet></Tagging>"
            ),
        ),
        (
            "PutBucketVersioning",
            {"Bucket": "b", "VersioningConfiguration": {"Status": "Enabled"}},
            "PUT",
            "/b?versioning",
            [],
            f'<VersioningConfiguration xmlns="{NAMESPACE}"><Status>Enabled</Status></VersioningConfiguration>',
        ),
    ],
)
def test_requests(operation, params, method, target, headers, body):
    """Exactly what was asked for: nothing is added, and members keep the order they were given in."""
    request = build(operation, params)
    sent = body if isinstance(body, bytes) else body.encode()
    assert (request.method, request.target, request.headers, request.body) == (method, target, headers, sent)


OF_NO_MODEL = {"PostObject", "OptionsObject"}
"""A browser's form and its preflight are S3's, and in no SDK."""


def test_every_operation_of_the_spec_can_be_built():
    """From its required members alone: no place in the target is left unfilled."""
    used = {name for found in scenario.load().values() for name in found.operations} - OF_NO_MODEL
    assert used
    for name in sorted(used & model.operations()):
        shape = model.operation(name).input_shape
        params: dict[str, Any] = {}
        for member in shape.required_members if shape else []:
            kind = shape.members[member].type_name
            params[member] = {"structure": {}, "integer": 1, "long": 1, "boolean": True}.get(kind, "x")
        request = build(name, params)
        assert request.method == model.operation(name).http["method"]
        assert request.target.startswith(("/x", "/WriteGetObjectResponse") if params else "/")
        assert "{" not in request.target


def test_what_the_spec_names_is_an_operation():
    """Of botocore's model, or of a later one than is installed: those in the table of operations."""
    with (Path(scenario.__file__).parents[1] / "fixtures" / "operations.tsv").open(encoding="utf-8") as file:
        known = {row["operation"] for row in csv.DictReader(file, dialect="excel-tab")}
    used = {name for found in scenario.load().values() for name in found.operations} - OF_NO_MODEL
    assert used <= known


def test_attributes_of_a_structure_are_written_and_read():
    """The type of a grantee is an attribute of its element, with a namespace of its own."""
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "someone"}, "Permission": "READ"}
    policy = {"Owner": {"ID": "owner"}, "Grants": [grant]}
    body = build("PutBucketAcl", {"Bucket": "b", "AccessControlPolicy": policy}).body
    assert b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>someone</ID>' in body
    assert read("GetBucketAcl", {}, parse(body)) == policy


KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(KEYS)
def test_a_key_goes_into_the_target_encoded_once(key):
    """Slashes stay, everything but unreserved characters is escaped, dots are not resolved."""
    target = build("GetObject", {"Bucket": "b", "Key": key}).target
    assert target.isascii()
    assert target.isprintable()
    path, _, query = target.partition("?")
    assert query == ""
    assert not set(path) & set(" \"#<>[]\\^`{|}&+=;,:@$!'()*")
    assert unquote(path.removeprefix("/b/"), errors="strict") == key
    assert path.count("/") == key.count("/") + 2


@pytest.mark.parametrize("key", ["{Bucket}", "{Key+}", "a?b", "..", "../x", "//", "a/./b", "%2F", "+ ", "\u4e2d"])
def test_keys_that_are_easily_mangled(key):
    target = build("PutObject", {"Key": key, "Bucket": "b"}).target
    assert unquote(target.removeprefix("/b/")) == key


def test_a_parameter_that_the_model_does_not_have_is_refused():
    with pytest.raises(KeyError, match="Perfix"):
        build("ListObjectsV2", {"Bucket": "b", "Perfix": "x"})


@pytest.mark.parametrize(
    ("operation", "required"),
    [("DeleteObjects", True), ("PutBucketCors", True), ("PutObject", False), ("GetObject", False)],
)
def test_operations_that_demand_a_digest(operation, required):
    assert model.checksum_required(operation) is required


# --- answers ---


def answer(operation: str, content: str, **headers: str) -> dict[str, Any]:
    return read(operation, headers, parse(content.encode()) if content else None)


def test_a_listing_is_read_with_types():
    found = answer(
        "ListObjectsV2",
        f'<ListBucketResult xmlns="{NAMESPACE}"><Name>b</Name><Prefix/><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys>'
        "<IsTruncated>false</IsTruncated><Unknown>x</Unknown>"
        "<Contents><Key>a&#13;b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        "<Size>9007199254740993</Size><Owner><ID>o</ID></Owner></Contents>"
        "<Contents><Key>c</Key><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>"
        "</Contents><CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes></ListBucketResult>",
    )
    assert found == {
        "Name": "b",
        "Prefix": "",
        "KeyCount": 3,
        "MaxKeys": 1000,
        "IsTruncated": False,
        "Contents": [
            {
                "Key": "a\rb",
                "LastModified": "2026-01-01T00:00:00.000Z",
                "ETag": '"e"',
                "Size": 9007199254740993,
                "Owner": {"ID": "o"},
            },
            {"Key": "c", "ChecksumAlgorithm": ["CRC32", "SHA1"]},
        ],
        "CommonPrefixes": [{"Prefix": "d/"}],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("0", 0),
        ("007", 7),
        *((text, text) for text in ("", " 1", "+1", "-1", "1.0", "1e3", "\u0661", "\u00b2", "9" * 5000, "ten")),
    ],
)
def test_a_number_that_is_none_stays_the_text_that_was_sent(text, value):
    found = answer("ListObjectsV2", f"<R><MaxKeys>{text}</MaxKeys></R>")["MaxKeys"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("false", False), ("True", "True"), ("1", "1"), ("", ""), ("yes", "yes")]
)
def test_a_truth_value_that_is_none_stays_the_text_that_was_sent(text, value):
    found = answer("ListObjects", f"<R><IsTruncated>{text}</IsTruncated></R>")["IsTruncated"]
    assert (found, type(found)) == (value, type(value))


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=8))
def test_header_values_are_numbers_truth_values_or_what_was_sent(text):
    found = read("HeadObject", {"content-length": text, "x-amz-delete-marker": text}, None)
    assert found["ContentLength"] == (int(text) if text.isascii() and text.isdigit() else text)
    assert found["DeleteMarker"] == {"true": True, "false": False}.get(text, text)


def test_headers_are_read_by_their_names_in_the_model():
    headers = {
        "etag": '"e"',
        "content-length": "5",
        "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "x-amz-meta-a": "1",
        "x-amz-meta-b-c": "2, 3",
        "x-amz-version-id": "v",
        "server": "x",
    }
    assert read("GetObject", headers, None) == {
        "ETag": '"e"',
        "ContentLength": 5,
        "LastModified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "VersionId": "v",
        "Metadata": {"a": "1", "b-c": "2, 3"},
    }


def test_what_is_not_there_is_not_made_up():
    assert answer("ListObjectsV2", "<ListBucketResult/>") == {}
    assert answer("PutObject", "") == {}
    assert answer("DeleteBucket", "", etag='"e"') == {}


@pytest.mark.parametrize(
    ("content", "location"),
    [
        (f'<LocationConstraint xmlns="{NAMESPACE}">eu-west-1</LocationConstraint>', "eu-west-1"),
        (f'<LocationConstraint xmlns="{NAMESPACE}"/>', ""),
    ],
)
def test_the_location_is_the_root_element_itself(content, location):
    assert answer("GetBucketLocation", content) == {"LocationConstraint": location}


def test_lists_with_and_without_a_wrapper():
    buckets = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in "ab")
    found = answer("ListBuckets", f"<R><Buckets>{buckets}</Buckets></R>")
    assert found == {"Buckets": [{"Name": "a"}, {"Name": "b"}]}
    deleted = answer("DeleteObjects", "<R><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>c</Code></Error></R>")
    assert deleted == {"Deleted": [{"Key": "a"}], "Errors": [{"Key": "b", "Code": "c"}]}
    assert answer("ListParts", "<R><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></R>")["Parts"] == [
        {"PartNumber": 1, "ETag": "e"}
    ]


def test_a_document_that_is_one_member():
    """The body of CopyObject and UploadPartCopy is the result itself; headers stand beside it."""
    found = answer("CopyObject", "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>", **{"x-amz-version-id": "v"})
    assert found == {"CopyObjectResult": {"ETag": "e"}, "VersionId": "v"}


TAGS = ("Contents", "Key", "Size", "Owner", "CommonPrefixes", "Prefix", "Buckets", "Bucket", "Part", "ETag")
ELEMENTS = st.recursive(
    st.sampled_from(["", "text", "1"]),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(TAGS), inner).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"), max_size=4
    ).map("".join),
    max_leaves=12,
)


@given(ELEMENTS)
def test_documents_of_another_shape_are_read_without_error(content):
    """Elements where text belongs and text where elements belong are findings, not crashes."""
    for operation in ("ListObjectsV2", "ListBuckets", "ListParts", "CopyObject", "GetBucketLocation", "GetBucketAcl"):
        assert isinstance(answer(operation, f"<Root>{content}</Root>"), dict)
