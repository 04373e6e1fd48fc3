"""S3's requests and answers, driven by botocore's service model; the reading and writing is the harness's own.

Parameters and results have the model's member names (`Bucket`, `MaxKeys`, `Contents` …) whatever the client,
so that one scenario can be said in every client's words and its answers compared.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from harness.wire.sigv4 import encode
from harness.wire.xml import Node


class Request(NamedTuple):
    """A request before signing: `target` is the raw request target below the endpoint's own path."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


@functools.cache
def service() -> ServiceModel:
    """The model of S3, as botocore carries it."""
    return ServiceModel(Loader().load_service_model("s3", "service-2"), "s3")


@functools.cache
def operation(name: str) -> OperationModel:
    """The model of one operation."""
    return service().operation_model(name)


@functools.cache
def operations() -> frozenset[str]:
    """The names of all operations."""
    return frozenset(service().operation_names)


@functools.cache
def checksum_required(name: str) -> bool:
    """Whether S3 asks for Content-MD5 or a checksum on this operation."""
    return bool((operation(name).http_checksum or {}).get("requestChecksumRequired"))


# --- requests ---


def build(name: str, params: Mapping[str, Any]) -> Request:
    """The request that says `params` for the operation, with nothing added that was not asked for.

    Raises:
        KeyError: a parameter that the model does not have.
    """
    model = operation(name)
    members = model.input_shape.members if model.input_shape else {}
    path, _, fixed = model.http["requestUri"].partition("?")
    query, headers, body = ([fixed] if fixed else []), [], b""
    payload = model.input_shape.serialization.get("payload") if model.input_shape else None
    for param, value in params.items():
        shape = members[param]
        where, wire = shape.serialization.get("location"), shape.serialization.get("name", param)
        if where == "uri":
            path = path.replace(f"{{{wire}+}}", encode(value, safe="/")).replace(f"{{{wire}}}", encode(value))
        elif where == "querystring":
            query.append(f"{encode(wire)}={encode(_text(value))}")
        elif where == "header":
            headers.append((wire, ",".join(map(_text, value)) if isinstance(value, list) else _text(value)))
        elif where == "headers":
            headers += [(f"{wire}{key}", text) for key, text in value.items()]
        elif param == payload:
            body = _payload(shape, value)
    target = path + ("?" + "&".join(query) if query else "")
    return Request(model.http["method"], target, headers, body)


def _payload(shape: Shape, value: Any) -> bytes:
    """The whole body: bytes and texts (a policy) as they are, a structure as its document."""
    if shape.type_name in ("blob", "string"):
        return value.encode() if isinstance(value, str) else bytes(value)
    return write(shape, value)


def write(shape: Shape, value: Any) -> bytes:
    """The XML document of a structure `value` (a payload member)."""
    namespace = shape.serialization.get("xmlNamespace", {}).get("uri", "")
    root = shape.serialization.get("name", shape.name)
    attribute = f" xmlns={quoteattr(namespace)}" if namespace else ""
    return f"<{root}{attribute}>{_content(shape, value)}</{root}>".encode()


def _content(shape: Shape, value: Any) -> str:
    if shape.type_name != "structure":
        return escape(_text(value), {"\r": "&#13;"})
    members = shape.members
    return "".join(
        _element(members[name], name, item) for name, item in value.items() if not _is_attribute(members[name])
    )


def _is_attribute(shape: Shape) -> bool:
    return bool(shape.serialization.get("xmlAttribute"))


def _attributes(shape: Shape, value: Any) -> str:
    """The members of a structure that are attributes of its element (the type of a grantee), with their namespace."""
    if shape.type_name != "structure":
        return ""
    found = [(inner, value[name]) for name, inner in shape.members.items() if _is_attribute(inner) and name in value]
    if not found:
        return ""
    namespace = shape.serialization["xmlNamespace"]
    spelled = [f" {inner.serialization['name']}={quoteattr(_text(text))}" for inner, text in found]
    return f" xmlns:{namespace['prefix']}={quoteattr(namespace['uri'])}" + "".join(spelled)


def _element(shape: Shape, name: str, value: Any) -> str:
    tag = shape.serialization.get("name", name)
    if shape.type_name != "list":
        return f"<{tag}{_attributes(shape, value)}>{_content(shape, value)}</{tag}>"
    inner = tag if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
    items = "".join(
        f"<{inner}{_attributes(shape.member, item)}>{_content(shape.member, item)}</{inner}>" for item in value
    )
    return items if shape.serialization.get("flattened") else f"<{tag}>{items}</{tag}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.decode() if isinstance(value, bytes) else str(value)


# --- answers ---


def read(name: str, headers: Mapping[str, str], document: Node | None) -> dict[str, Any]:
    """The members of an answer that are there, under the model's names.

    Args:
        name: the operation.
        headers: header values by lower-case name.
        document: the root of the body, where it is XML.

    Returns:
        Strings, integers, booleans, lists and mappings; a scalar that does not parse as its type stays the text
        that was sent, and timestamps are always text, so that nothing an endpoint did is smoothed over. Nothing of what
        is no operation of the model (a browser's form).
    """
    shape = operation(name).output_shape if name in operations() else None
    if shape is None:
        return {}
    output: dict[str, Any] = {}
    for member, inner in shape.members.items():
        where, wire = inner.serialization.get("location"), inner.serialization.get("name", member)
        if where == "header" and wire.lower() in headers:
            output[member] = _scalar(inner, headers[wire.lower()])
        elif where == "headers":
            output[member] = {k[len(wire) :]: v for k, v in headers.items() if k.startswith(wire.lower())}
    if document is not None:
        output |= _document(name, shape, document)
    return output


def _document(name: str, shape: Shape, root: Node) -> dict[str, Any]:
    if name == "GetBucketLocation":  # the one answer whose root element is itself the value
        return {"LocationConstraint": root.text}
    payload = shape.serialization.get("payload")
    if payload is not None:
        inner = shape.members[payload]
        return {payload: _structure(inner, root)} if inner.type_name == "structure" else {}
    return _structure(shape, root)


def _structure(shape: Shape, node: Node) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for member, inner in shape.members.items():
        if "location" in inner.serialization:
            continue
        tag = inner.serialization.get("name", member)
        if _is_attribute(inner):
            name = f"{shape.serialization['xmlNamespace']['uri']} {tag.rpartition(':')[2]}"
            if name in node.attributes:
                value[member] = node.attributes[name]
        elif inner.type_name == "list":
            items = _list(inner, tag, node)
            if items:
                value[member] = items
        elif (child := node.find(tag)) is not None:
            value[member] = _value(inner, child)
    return value


def _list(shape: Shape, tag: str, node: Node) -> list[Any]:
    if shape.serialization.get("flattened"):
        return [_value(shape.member, child) for child in node.all(tag)]
    wrapper = node.find(tag)
    inner = shape.member.serialization.get("name", "member")
    return [_value(shape.member, child) for child in wrapper.all(inner)] if wrapper is not None else []


def _value(shape: Shape, node: Node) -> Any:
    return _structure(shape, node) if shape.type_name == "structure" else _scalar(shape, node.text)


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long") and text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
