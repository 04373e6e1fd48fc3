"""Holds every answer that boto3 gets to botocore's service model: nothing may be in it that the model does not know.

botocore itself drops what it does not know, and a client in another language may not.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from tests.reference_server.clients.running import Site

#: In answers of AWS, though not in the model.
_UNMODELLED = {"x-amz-id-2", "x-amz-request-id", "x-amz-bucket-region"}
_FIRST_ERROR = 300


class Asker:
    """A boto3 client by the names of operations, which checks what comes back.

    Attributes:
        asked: names of the operations that were answered.
        names: names of all operations of the model.
    """

    def __init__(self, site: Site) -> None:
        self._client = site.boto3()
        self._client.meta.events.register("before-parse.s3", self._check)
        self._methods = {name: method for method, name in self._client.meta.method_to_api_mapping.items()}
        self.names = set(self._methods)
        self.asked: set[str] = set()

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        """One operation; raises ClientError for a refusal."""
        answer: dict[str, Any] = getattr(self._client, self._methods[operation])(**params)
        self.asked.add(operation)
        if "Body" in answer:
            with closing(answer["Body"]) as body:
                answer["Body"] = body.read()
        return answer

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def least(self, operation: str, **known: str) -> dict[str, Any]:
        """The least input that the model takes; `known` values go where their names are members."""
        shape = self._client.meta.service_model.operation_model(operation).input_shape
        filled: dict[str, Any] = _filled(shape) if shape is not None else {}
        return filled | {name: value for name, value in known.items() if name in filled}

    def _check(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        shape, body = operation_model.output_shape, response_dict["body"]
        if response_dict["status_code"] >= _FIRST_ERROR or operation_model.deprecated:
            return  # a deprecated operation is an old view of what another one answers
        unknown = list(_unknown_headers(shape, response_dict["headers"]))
        payload = shape.serialization.get("payload") if shape is not None else None
        if payload is not None:
            shape = shape.members[payload]
        if isinstance(body, bytes) and body and (shape is None or shape.type_name == "structure"):
            root = ET.fromstring(body)  # noqa: S314 - from our own server
            # The location is the text of the root itself.
            unknown += [] if operation_model.name == "GetBucketLocation" else _unknown_elements(shape, root)
        assert unknown == [], f"{operation_model.name} answers with {unknown}"


def _filled(shape: Any) -> Any:
    if shape.type_name == "structure":
        names = list(shape.members)[:1] if getattr(shape, "is_tagged_union", False) else shape.required_members
        return {name: _filled(shape.members[name]) for name in names}
    if shape.type_name == "list":
        return [_filled(shape.member)]
    text = "x" * shape.metadata.get("min", 1)
    return {"integer": 1, "long": 1, "boolean": True, "blob": b"x"}.get(shape.type_name) or next(
        iter(getattr(shape, "enum", ())), text
    )


def _unknown_headers(shape: Any, headers: Any) -> Iterator[str]:
    members = [] if shape is None else shape.members.values()
    known = {m.serialization["name"].lower() for m in members if m.serialization.get("location") == "header"}
    prefixes = tuple(m.serialization["name"] for m in members if m.serialization.get("location") == "headers")
    for name in map(str.lower, headers):
        if name.startswith("x-amz-") and name not in known | _UNMODELLED and not name.startswith(prefixes or "\0"):
            yield name


def _unknown_elements(shape: Any, element: ET.Element, path: str = "") -> Iterator[str]:
    """Paths of elements that have no member."""
    if shape is not None and shape.type_name == "list":
        children = {shape.member.serialization.get("name", "member"): shape.member}
    elif shape is not None and shape.type_name == "structure":
        children = dict(_child(name, member) for name, member in shape.members.items())
    else:
        children = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in children:
            yield from _unknown_elements(children[name], child, f"{path}/{name}")
        else:
            yield f"{path}/{name}"


def _child(name: str, member: Any) -> tuple[str, Any]:
    """The element of a member, and the shape of its content; a member that travels in a header has none."""
    if "location" in member.serialization:
        return "", member
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name") or member.serialization.get("name", name), member.member
    return member.serialization.get("name", name), member
