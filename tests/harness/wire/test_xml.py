"""XML from an endpoint is read exactly, or refused in words; it never expands, floods or crashes."""

from __future__ import annotations

import time
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire import xml
from harness.wire.xml import MAX_BYTES, MAX_DEPTH, Node, XMLError, parse

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def shape(node: Node) -> object:
    """Tag and text or children, for comparing."""
    return (node.tag, [shape(child) for child in node] or node.text)


def test_a_listing_is_read_in_document_order():
    root = parse(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}"><Name>b</Name>'
        "<Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents><Empty/></ListBucketResult>".encode()
    )
    assert shape(root) == (
        "ListBucketResult",
        [("Name", "b"), ("Contents", [("Key", "a")]), ("Contents", [("Key", "b")]), ("Empty", "")],
    )
    assert root.namespace == NAMESPACE
    assert [child.get("Key") for child in root.all("Contents")] == ["a", "b"]
    assert root.get("Name") == "b"
    assert root.get("Empty") == ""
    assert root.get("Missing") is None
    assert root.find("Missing") is None
    assert root.all("Missing") == []


@pytest.mark.parametrize(
    ("document", "namespace"),
    [
        (b"<A><B>1</B></A>", ""),
        (b"<A xmlns='u:1'><B>1</B></A>", "u:1"),
        (b"<s:A xmlns:s='u:2'><s:B>1</s:B></s:A>", "u:2"),
        (b"<s:A xmlns:s='u:2'><B xmlns='u:3'>1</B></s:A>", "u:2"),
    ],
)
def test_elements_are_found_whatever_their_namespace(document, namespace):
    """Clients differ in how strict they are; the namespace is kept so that a scenario can judge it."""
    root = parse(document)
    assert (root.tag, root.namespace, root.get("B")) == ("A", namespace, "1")


def test_attributes_are_kept_with_their_namespace():
    """A Grantee says in one what it is; most elements have none."""
    root = parse(b"<A><G xmlns:x='u:1' x:type='Group' id='1'/></A>")
    assert dict(root.children[0].attributes) == {"u:1 type": "Group", "id": "1"}
    assert dict(root.attributes) == {}


def test_text_in_pieces_is_put_together_in_linear_time():
    """Around elements, and around references, which the parser reports one by one."""
    root = parse(b"<A>a<B>b&amp;c</B>d<C/>e</A>")
    assert (root.text, root.get("B"), root.get("C")) == ("ade", "b&c", "")
    started = time.monotonic()
    assert len(parse(b"<A>" + b"&amp;<B/>" * 199_000 + b"</A>").text) == 199_000
    assert time.monotonic() - started < 5


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")))
def test_text_survives_exactly(text):
    assert parse(f"<Key>{escape(text)}</Key>".encode()).text == text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"<K>a&amp;b&lt;&gt;&quot;&apos;</K>", "a&b<>\"'"),
        (b"<K>&#13;&#xA;&#x1F600;</K>", "\r\n\U0001f600"),
        (b"<K>a\r\nb\rc</K>", "a\nb\nc"),
        (b"<K><![CDATA[<a>&amp;]]> tail</K>", "<a>&amp; tail"),
        (b"<K> <!-- no --> x <?pi no?> </K>", "  x  "),
        ("\ufeff<K>bom</K>".encode(), "bom"),
        ("<K>\u00e9</K>".encode("utf-16"), "\u00e9"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><K>\xe9</K>", "\u00e9"),
    ],
)
def test_escapes_sections_and_encodings(document, text):
    assert parse(document).text == text


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE a><a/>",
        b"<!DOCTYPE html><html></html>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]><a/>',
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(20))
        + b"]><a>&u;</a>",
    ],
)
def test_document_types_are_refused_before_any_entity(document):
    started = time.monotonic()
    with pytest.raises(XMLError, match="document type declaration"):
        parse(document)
    assert time.monotonic() - started < 1


def test_unknown_entities_are_refused():
    with pytest.raises(XMLError, match="undefined entity"):
        parse(b"<a>&nbsp;</a>")


def test_depth_is_bounded():
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    assert parse(nested(MAX_DEPTH)).tag == "a"
    for depth in (MAX_DEPTH + 1, 1_000_000):
        with pytest.raises(XMLError, match="nested deeper"):
            parse(nested(depth))


def test_size_is_bounded():
    with pytest.raises(XMLError, match="over the limit"):
        parse(b"<a>" + b" " * MAX_BYTES + b"</a>")


def test_number_of_elements_is_bounded(monkeypatch):
    """Each costs many times its bytes in memory."""
    monkeypatch.setattr(xml, "MAX_ELEMENTS", 1000)
    assert len(parse(b"<r>" + b"<a/>" * 999 + b"</r>").children) == 999
    with pytest.raises(XMLError, match="more than 1000 elements"):
        parse(b"<r>" + b"<a/>" * 1000 + b"</r>")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b" ",
        b"text",
        b"<a>",
        b"</a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a/>text",
        b"\n<?xml version='1.0'?><a/>",
        b"<a b=1/>",
        b"<a b='1' b='2'/>",
        b"<p:a/>",
        b"<a>\x00</a>",
        b"<a>\x01</a>",
        b"<a>&#0;</a>",
        b"<a>&#xD800;</a>",
        b"<a>\xff\xfe</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<?xml version='1.0' encoding='no-such'?><a/>",
        b"<?xml version='1.0' encoding='utf-16'?><a/>",
        b"<?xml version='1.0' encoding='gb2312'?><a>\xb0\xa1</a>",
        b"<?xml version='1.0' encoding='rot13'?><a/>",
        b"<!-- only a comment -->",
        b"<a><![CDATA[",
        b"<html><br></html>",
        b'{"not": "xml"}',
    ],
)
def test_what_is_not_xml_is_refused_in_words(document):
    with pytest.raises(XMLError) as caught:
        parse(document)
    assert str(caught.value)


@given(
    st.one_of(st.binary(max_size=80), st.text(max_size=40).map(str.encode)), st.sampled_from([b"", b"<a>", b"<?xml "])
)
def test_any_bytes_are_read_or_refused(data, start):
    try:
        assert isinstance(parse(start + data), Node)
    except XMLError as error:
        assert str(error)  # noqa: PT017 - either is right
