"""XML from an endpoint: hostile until proved well-formed.

Document type declarations are refused, so no entity is ever expanded; size, depth and number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from xml.parsers import expat

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_ELEMENTS = 200_000
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


class XMLError(ValueError):
    """The bytes are not an XML document that an S3 answer may be."""


class Node:
    """An element: `tag` without namespace, its `namespace`, `text` and children in document order.

    `attributes` holds values by name; a name that has a namespace comes after it and a space.
    """

    __slots__ = ("attributes", "children", "namespace", "tag", "text")

    def __init__(self, tag: str, namespace: str) -> None:
        self.tag = tag
        self.namespace = namespace
        self.attributes: Mapping[str, str] = _NO_ATTRIBUTES
        self.text = ""
        self.children: list[Node] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self.children)

    def all(self, tag: str) -> list[Node]:
        """The child elements called `tag`."""
        return [child for child in self.children if child.tag == tag]

    def find(self, tag: str) -> Node | None:
        """The first child element called `tag`."""
        return next((child for child in self.children if child.tag == tag), None)

    def get(self, tag: str) -> str | None:
        """The text of the first child element called `tag`."""
        child = self.find(tag)
        return None if child is None else child.text


class _Builder:
    """Makes nodes of what the parser reports; most elements have one text, and a tag that was there before."""

    def __init__(self) -> None:
        self.document = Node("", "")
        self._stack = [self.document]
        self._names: dict[str, tuple[str, str]] = {}
        self._pieces: dict[int, list[str]] = {}
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        known = self._names.get(name)
        if known is None:
            namespace, _, tag = name.rpartition(" ")
            known = self._names[name] = (tag, namespace)
        node = Node(known[0], known[1])
        if attributes:
            node.attributes = attributes
        stack = self._stack
        stack[-1].children.append(node)
        if len(stack) > MAX_DEPTH:
            raise XMLError(f"elements are nested deeper than {MAX_DEPTH}")
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise XMLError(f"more than {MAX_ELEMENTS} elements")
        stack.append(node)

    def text(self, data: str) -> None:
        node = self._stack[-1]
        if node.text:
            self._pieces.setdefault(len(self._stack), [node.text]).append(data)
        else:
            node.text = data

    def end(self, _name: str) -> None:
        node = self._stack.pop()
        if self._pieces:
            pieces = self._pieces.pop(len(self._stack) + 1, None)
            if pieces is not None:
                node.text = "".join(pieces)

    def doctype(self, *_declaration: object) -> None:
        raise XMLError("a document type declaration has no place in an S3 answer")


def parse(data: bytes) -> Node:
    """The root element of the document `data`.

    Raises:
        XMLError: not well-formed, too large, too deep, of too many elements, or with a document type declaration.
    """
    if len(data) > MAX_BYTES:
        raise XMLError(f"document of {len(data)} bytes is over the limit of {MAX_BYTES}")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XMLError(f"not well-formed XML: {error}") from None
    except (LookupError, ValueError) as error:  # unknown encodings
        raise XMLError(str(error)) from None
    if not builder.document.children:
        raise XMLError("no root element")
    return builder.document.children[0]
