"""Request documents as a small tree of elements, read with expat and bounded against hostile input."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DEPTH = 32
#: The longest document of S3 lists 10,000 parts with up to eight elements each.
_MAX_ELEMENTS = 200_000
#: Shared by all elements without attributes, that is nearly all: a dictionary each would be a third of a tree's size.
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Node:
    """One element: name without prefix, pieces of text directly inside it, child elements, attributes."""

    name: str
    pieces: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    attributes: Mapping[str, str] = field(default_factory=lambda: _NONE)

    @property
    def text(self) -> str:
        """All text directly inside."""
        return "".join(self.pieces)


class _RefusedError(Exception):
    pass


def parse_xml(body: bytes) -> Node | None:
    """The root element; None for what is not well-formed, or has a document type declaration.

    Entities need a declaration, so refusing it also refuses every entity expansion attack.
    """
    top = Node("")
    open_nodes = [top]

    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MAX_ELEMENTS or len(open_nodes) > _MAX_DEPTH:
            raise _RefusedError
        node = Node(name.rpartition(":")[2], attributes=attributes or _NONE)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        open_nodes.pop()

    def data(text: str) -> None:
        open_nodes[-1].pieces.append(text)

    def doctype(*_: object) -> None:
        raise _RefusedError

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, _RefusedError, ValueError, LookupError):
        return None
    return top.children[0] if top.children else None
