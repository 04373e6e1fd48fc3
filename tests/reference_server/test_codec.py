"""Reading and writing documents by the service model."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.codec import Codec, http_time, iso_time
from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.xmltext import escape
from reference_server.xmltree import parse_xml

CODEC = Codec(service_model().service)


def order(document: bytes) -> list[str]:
    """Names of the elements below the root."""
    return [element.tag.partition("}")[2] for element in ET.fromstring(document)]  # noqa: S314 - our own document


def test_listing_shows_its_facts_before_its_entries() -> None:
    entry = {"Key": "k", "LastModified": 0, "ETag": '"e"', "Size": 1, "Owner": {"ID": "o"}, "StorageClass": "STANDARD"}
    output = {
        "CommonPrefixes": [{"Prefix": "p/"}, {"Prefix": "q/"}],
        "Contents": [entry],
        "IsTruncated": True,
        "MaxKeys": 3,
        "KeyCount": 3,
        "NextContinuationToken": "t",
        "Prefix": "",
        "Name": "b",
        "Delimiter": "/",
    }
    body = CODEC.write("ListObjectsV2", output).body
    assert body.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc'
    )
    names = ["Name", "Prefix", "NextContinuationToken", "KeyCount", "MaxKeys", "Delimiter", "IsTruncated", "Contents"]
    assert order(body) == [*names, "CommonPrefixes", "CommonPrefixes"]
    assert b"<Size>1</Size><Owner><ID>o</ID></Owner><StorageClass>STANDARD</StorageClass>" in body
    assert b"<LastModified>1970-01-01T00:00:00.000Z</LastModified>" in body


def test_header_members_are_headers_and_not_elements() -> None:
    encoded = CODEC.write(
        "CreateMultipartUpload", {"Bucket": "b", "Key": "k", "UploadId": "u", "ChecksumType": "COMPOSITE"}
    )
    assert encoded.headers == [("x-amz-checksum-type", "COMPOSITE")]
    assert order(encoded.body) == ["Bucket", "Key", "UploadId"]
    assert CODEC.write("DeleteObject", {}).status == 204
    assert CODEC.write("PutObject", {"ETag": "e"}).body == b""


@given(st.text())
def test_text_survives_where_xml_can_carry_it(text: str) -> None:
    carried = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    node = parse_xml(f"<a>{escape(carried)}</a>".encode())
    assert node is not None
    assert node.text == carried


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b"<a>" + b"<b/>" * 200_000 + b"</a>",
        b"<!DOCTYPE a><a/>",
        b"<a>&x;</a>",
        b"<a>" * 40 + b"</a>" * 40,
        b"<a/>\0",
        b"\xff\xfe<",
    ],
)
def test_what_is_no_document(body: bytes) -> None:
    assert parse_xml(body) is None


def test_prefixes_and_other_encodings_are_read() -> None:
    document = '<s3:Delete xmlns:s3="x"><s3:Object><s3:Key>é</s3:Key></s3:Object></s3:Delete>'
    body = '<?xml version="1.0" encoding="UTF-16"?>' + document
    assert CODEC.parse_document("DeleteObjects", body.encode("utf-16")) == {"Objects": [{"Key": "é"}]}
    with pytest.raises(S3Error, match="MalformedXML"):
        CODEC.parse_document("DeleteObjects", b"<Delete><Object><VersionId>1</VersionId></Object></Delete>")


def test_times_do_not_follow_the_locale() -> None:
    assert http_time(1_700_000_000) == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert iso_time(1_700_000_000) == "2023-11-14T22:13:20.000Z"
