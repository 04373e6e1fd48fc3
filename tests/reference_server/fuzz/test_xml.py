"""Request documents: the reader alone, and every operation that takes one."""

from __future__ import annotations

import base64
import functools
import hashlib
import time
from collections.abc import Iterator
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.app import App
from reference_server.model import service_model
from reference_server.xmltree import Node, parse_xml
from tests.reference_server.fuzz.support import Edits, application, ask, bounded, check, edited, edits

PIECES = [
    *(b"<", b">", b"</", b"/>", b"&", b";", b"&amp;", b"&#0;", b"&#xD800;", b"&#x10FFFF;", b"&#13;", b"&x;", b'"'),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x y?>", b"<!DOCTYPE a>", b'<!DOCTYPE a [<!ENTITY x "y">]>', b"\0"),
    *(b"<?xml version='1.0' encoding='UTF-16'?>", b"<?xml version='1.1'?>", b"<?xml version='1.0' encoding='koi8-r'?>"),
    *(
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xed\xa0\x80",
        b"<a>" * 40,
        b"<a/>" * 20,
        b" xmlns='x'",
        b" x='y' x='z'",
    ),
    *(b"p:", b"-1", b"99999999999999999999", b"true", b"\xc2\xb9", b"1e3", b"null", b"*", b"2020-02-30T00:00:00Z"),
]
_TEXTS = {"integer": ("1", "0", "30", "-1"), "boolean": ("true", "false"), "float": ("1.5",)}
_TEXTS["timestamp"] = ("2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00Z", "2030-01-01", "never")
#: Texts that mean something to the members of that name: most documents with others are refused at once.
_KNOWN = {
    **dict.fromkeys(("Key", "ReplaceKeyWith"), ("key", "gone", "a/b")),
    **dict.fromkeys(("ID", "Id"), ("id",)),
    **dict.fromkeys(("Prefix", "KeyPrefixEquals", "ReplaceKeyPrefixWith", "Value"), ("", "k", "p/", "v")),
    **dict.fromkeys(("Bucket", "TargetBucket"), ("arn:aws:s3:::bkt", "bkt", "arn:aws:s3:::locked")),
    **dict.fromkeys(("Days", "NoncurrentDays", "DaysAfterInitiation"), ("1", "30", "60", "0")),
    "PartNumber": ("1", "2"),
    "ETag": ('"9a0364b9e99bb480dd25e1f0284c8555"', "*"),
    "LocationConstraint": ("us-east-1", "eu-west-1"),
    "AllowedMethod": ("GET", "PUT", "PATCH"),
    "AllowedOrigin": ("*", "http://o", "http://*.o", "**"),
    "AllowedHeader": ("*", "x-*"),
    "MaxAgeSeconds": ("60",),
    "Status": ("Enabled", "Disabled"),
    "ObjectLockEnabled": ("Enabled",),
    "Suffix": ("key", "index.html", "a/b"),
    "HttpErrorCodeReturnedEquals": ("404", "403", "600"),
    "HttpRedirectCode": ("301", "302", "200"),
    "Role": ("arn:aws:iam::123456789012:role/r",),
    "Topic": ("arn:aws:sns:us-east-1:123456789012:t",),
    "Queue": ("arn:aws:sqs:us-east-1:123456789012:q",),
    "CloudFunction": ("arn:aws:lambda:us-east-1:123456789012:function:f",),
}


def _document(name: str, shape: Shape, dice: Random, depth: int = 0) -> str:
    """A document of a shape: required members always, others now and then, most texts such as may stand there."""
    if isinstance(shape, StructureShape):
        chosen = [n for n in shape.members if n in shape.required_members or dice.random() < 0.5]
        inner = [_member(n, shape.members[n], dice, depth + 1) for n in chosen] if depth < 8 else []
        return f"<{name}>{''.join(inner)}</{name}>"
    if isinstance(shape, ListShape):
        item = shape.member.serialization.get("name", "member")
        items = [_document(item, shape.member, dice, depth + 1) for _ in range(dice.choice((1, 1, 1, 2, 0)))]
        return f"<{name}>{''.join(items)}</{name}>"
    kind = "integer" if shape.type_name == "long" else shape.type_name
    texts = _KNOWN.get(name) or getattr(shape, "enum", None) or _TEXTS.get(kind, ("text", "", "\u00e9&amp;"))
    return f"<{name}>{dice.choice(texts)}</{name}>"


def _member(name: str, shape: Shape, dice: Random, depth: int) -> str:
    wire_name = shape.serialization.get("name", name)
    if shape.serialization.get("xmlAttribute"):
        return ""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return "".join(_document(wire_name, shape.member, dice, depth) for _ in range(dice.choice((1, 1, 2))))
    return _document(wire_name, shape, dice, depth)


@functools.cache
def _operations() -> dict[str, tuple[str, str, str, Shape]]:
    """Method, target, and the document's root and shape of each operation that takes one."""
    service = service_model().service
    found = {}
    for name in service.operation_names:
        model = service.operation_model(name)
        shape = model.input_shape
        payload = shape.serialization.get("payload") if shape is not None else None
        if payload is None or not isinstance(shape.members[payload], StructureShape):
            continue
        required = [shape.members[member] for member in shape.required_members]
        query = [m.serialization["name"] + "=id" for m in required if m.serialization.get("location") == "querystring"]
        uri = model.http["requestUri"]
        target = uri + "".join(("&" if "?" in uri else "?") + pair for pair in query)
        root = shape.members[payload].serialization.get("name", payload)
        found[name] = (model.http["method"], target, root, shape.members[payload])
    return found


def _written(operation: str, dice: Random) -> bytes:
    _, _, root, shape = _operations()[operation]
    return _document(root, shape, dice).encode()


OPERATIONS = st.sampled_from(sorted(_operations()))
DICE = st.integers(0, 2**32).map(Random)
_ONE = Random(0)  # noqa: S311 - chooses what a document has


def test_the_operations_with_documents_are_found() -> None:
    named = {"DeleteObjects", "CompleteMultipartUpload", "CreateBucket", "PutBucketTagging", "PutBucketCors"}
    assert named <= set(_operations())
    assert len(_operations()) > 25


def _prepare(app: App) -> str:
    """Make what documents speak of, where an earlier one has removed it; the id of an upload with one part."""
    locked = {"x-amz-bucket-object-lock-enabled": "true"}
    for bucket, headers in (("bkt", {}), ("locked", locked)):
        if ask(app, "HEAD", f"/{bucket}", {}).status == 404:
            ask(app, "PUT", f"/{bucket}", headers)
        if ask(app, "HEAD", f"/{bucket}/key", {}).status == 404:
            ask(app, "PUT", f"/{bucket}/key", {}, b"content")
    answer = ask(app, "POST", "/bkt/key?uploads", {})
    assert isinstance(answer.body, bytes)
    upload = answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    ask(app, "PUT", f"/bkt/key?partNumber=1&uploadId={upload}", {}, b"content")
    return upload


@pytest.fixture
def app() -> Iterator[App]:
    one = application(signatures=False)
    yield one
    one.store.close()


@bounded(500)
@given(operation=OPERATIONS, dice=DICE, changes=edits(PIECES, 2), bucket=st.sampled_from(["bkt", "locked", "none"]))
def test_no_document_is_an_internal_error(app: App, operation: str, dice: Random, changes: Edits, bucket: str) -> None:
    """Neither when it is sent, nor when it is read back or has a say in what follows."""
    upload = _prepare(app) if operation == "CompleteMultipartUpload" else "id"
    method, target, _, _ = _operations()[operation]
    target = target.replace("{Bucket}", bucket).replace("{Key+}", "key").replace("uploadId=id", f"uploadId={upload}")
    body = edited(_written(operation, dice), changes)
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    answer = ask(app, method, target, {"content-md5": digest}, body)
    check(answer)
    if answer.status < 300:
        for again, where, headers in (
            *(("GET", target, {}), ("GET", f"/{bucket}/key", {"origin": "http://o"}), ("PUT", f"/{bucket}/new", {})),
            *(("GET", "/key", {"host": f"{bucket}.s3-website.localhost"}), ("GET", f"/{bucket}?versions", {})),
            ("OPTIONS", f"/{bucket}/key", {"origin": "http://o", "access-control-request-method": "PUT"}),
        ):
            reply = ask(app, again, where, headers)
            assert reply.status < 500 or reply.status == 501, (where, reply)
        _prepare(app)


def _tree(node: Node) -> Any:
    return node.name, node.text, [_tree(child) for child in node.children]


def _reference(element: ET.Element) -> Any:
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    return element.tag.rpartition("}")[2], text, [_reference(child) for child in element]


@bounded(500)
@given(operation=OPERATIONS, dice=DICE, changes=edits(PIECES, 6))
@example(operation="DeleteObjects", dice=_ONE, changes=[(0, 5000, b"<a>\xc2\x85</a>")])
def test_a_document_is_refused_or_read_as_another_reader_reads_it(operation: str, dice: Random, changes: Edits) -> None:
    document = edited(_written(operation, dice), changes)
    node = parse_xml(document)
    if node is None or b":" in document:  # names with undeclared prefixes are taken as S3 takes them
        return
    parser = ET.XMLParser(target=ET.TreeBuilder())  # noqa: S314 - refusing declarations is what is tested
    assert _tree(node) == _reference(ET.fromstring(document, parser))  # noqa: S314


@bounded(500)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    parse_xml(data)


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f'<!DOCTYPE a [<!ENTITY a0 "ha">{LAUGHS}]><a>&a9;</a>', id="a billion laughs"),
        pytest.param(f'<!DOCTYPE a [<!ENTITY x "{"y" * 100_000}">]><a>{"&x;" * 10_000}</a>', id="quadratic"),
        pytest.param('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', id="a file of ours"),
        pytest.param('<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><a>&x;</a>', id="a request of ours"),
        pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', id="an external declaration"),
        pytest.param('<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///dev/zero">%x;]><a/>', id="a parameter entity"),
        pytest.param("<!DOCTYPE a><a/>", id="any declaration"),
        pytest.param("<a>&undeclared;</a>", id="an entity that nobody declared"),
        pytest.param("<a>" * 100 + "</a>" * 100, id="deeper than any document is"),
        pytest.param("<a>" + "<b/>" * 300_000 + "</a>", id="more elements than any document has"),
    ],
)
def test_documents_that_want_more_than_they_say_are_refused_quickly(document: str) -> None:
    started = time.thread_time()
    assert parse_xml(document.encode()) is None
    assert time.thread_time() - started < 4


@pytest.mark.parametrize("encoding", ["no-such-encoding", "utf-7", "shift_jis", "hex", "utf-16"])
def test_an_encoding_that_cannot_be_read_is_refused(encoding: str) -> None:
    assert parse_xml(f"<?xml version='1.0' encoding='{encoding}'?><a>b</a>".encode()) is None


def test_a_long_document_with_every_character_as_a_reference_takes_no_longer_than_its_length() -> None:
    started = time.thread_time()
    node = parse_xml(b"<a>" + b"&#65;" * 1_600_000 + b"</a>")
    assert node is not None
    assert node.text == "A" * 1_600_000
    assert time.thread_time() - started < 4
