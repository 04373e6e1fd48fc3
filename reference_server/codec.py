"""Reads operation inputs and writes operation outputs as the service model describes them.

One plan per operation, compiled on first use into closures: a page of 1000 keys then costs under 2 ms, where
building an XML tree costs 5 to 8.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from reference_server.errors import S3Error, invalid_argument
from reference_server.xmltext import escape
from reference_server.xmltree import Node, parse_xml

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

Text = Callable[[Any], str]

# The model does not name the root elements of outputs; these are the recorded ones (catalogue LINT-022).
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
# Where AWS writes elements in another order than the model lists them; the others follow in model order.
_FIRST = {
    "ListBucketsOutput": ("Owner", "Buckets"),
    "ListObjectsOutput": (
        *("Name", "Prefix", "Marker", "NextMarker", "MaxKeys", "Delimiter", "EncodingType", "IsTruncated"),
        *("Contents", "CommonPrefixes"),
    ),
    "ListObjectsV2Output": (
        *(
            "Name",
            "Prefix",
            "ContinuationToken",
            "NextContinuationToken",
            "StartAfter",
            "KeyCount",
            "MaxKeys",
        ),
        *("Delimiter", "EncodingType", "IsTruncated", "Contents", "CommonPrefixes"),
    ),
    "ListObjectVersionsOutput": (
        *("Name", "Prefix", "KeyMarker", "VersionIdMarker", "NextKeyMarker", "NextVersionIdMarker", "MaxKeys"),
        *("Delimiter", "EncodingType", "IsTruncated", "Versions", "DeleteMarkers", "CommonPrefixes"),
    ),
    "ListMultipartUploadsOutput": (
        *(
            "Bucket",
            "KeyMarker",
            "UploadIdMarker",
            "NextKeyMarker",
            "NextUploadIdMarker",
            "Prefix",
            "Delimiter",
        ),
        *("EncodingType", "MaxUploads", "IsTruncated", "Uploads", "CommonPrefixes"),
    ),
    "ListPartsOutput": (
        *("Bucket", "Key", "UploadId", "Initiator", "Owner", "StorageClass", "PartNumberMarker"),
        *("NextPartNumberMarker", "MaxParts", "IsTruncated"),
    ),
    "MultipartUpload": ("Key", "UploadId", "Initiator", "Owner", "StorageClass", "Initiated"),
    "Object": (
        "Key",
        "LastModified",
        "ETag",
        "ChecksumAlgorithm",
        "ChecksumType",
        "Size",
        "Owner",
        "StorageClass",
    ),
    "CopyObjectResult": ("LastModified", "ETag"),
    "CopyPartResult": ("LastModified", "ETag"),
}
# Lists that share one sequence of elements: an output has them under the first name, as (name, value) pairs.
_MIXED = {"ListObjectVersionsOutput": ("Versions", "DeleteMarkers")}
# Text members with listed values whose own error is checked elsewhere.
_OPEN_ENUMS = {"BucketLocationConstraint", "FilterRuleName"}
# Operations that the model wants a digest for, and AWS does not: recorded for tagging of objects (catalogue TAG-014);
# for the others s3cmd sends none, and its setacl, setpolicy, ws-create, payer and accesslog work on AWS.
_NO_DIGEST = {
    *("PutBucketAcl", "PutBucketLogging", "PutBucketPolicy", "PutBucketRequestPayment", "PutBucketWebsite"),
    *("PutObjectAcl", "PutObjectTagging"),
}
# Outputs whose document is the text of one member, in the root element itself.
_ROOT_TEXT = {"GetBucketLocation": "LocationConstraint"}
# Numbers that have an error of their own when they are none (catalogue MPC-031).
_TEXT_MEMBERS = {"MpuObjectSize"}
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
_HEADER_CASE = {"accept-ranges": "Accept-Ranges"}


@dataclass(frozen=True)
class Encoded:
    """An output as it leaves: status, headers and XML body (empty if the operation has none)."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class _InputPlan:
    query: dict[str, tuple[str, Callable[[str, str], Any]]]
    headers: dict[str, tuple[str, Callable[[str, str], Any]]]
    metadata: str | None
    payload: tuple[str, StructureShape] | None


@dataclass(frozen=True)
class _OutputPlan:
    status: int
    headers: dict[str, tuple[str, Text]]
    document: Callable[[dict[str, Any]], bytes] | None


@lru_cache(maxsize=4096)
def iso_time(seconds: int) -> str:
    """ISO 8601 in UTC with three zero decimals, as in bodies (catalogue LINT-009)."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=4096)
def http_time(seconds: int) -> str:
    """IMF-fixdate, as in headers (RFC 9110 §5.6.7). Not strftime, whose names follow the locale."""
    at = time.gmtime(seconds)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04} {clock} GMT"


class Codec:
    """Inputs and outputs of every operation of a service model."""

    def __init__(self, service: ServiceModel) -> None:
        self._service = service
        self._inputs: dict[str, _InputPlan] = {}
        self._outputs: dict[str, _OutputPlan] = {}

    def parse_input(self, operation: str, query: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
        """Members that come from query and headers, by model name.

        Raises:
            S3Error: InvalidArgument for a number that is none.
        """
        plan = self._inputs.get(operation) or self._plan_input(operation)
        found: dict[str, Any] = {}
        for source, members in ((query, plan.query), (headers, plan.headers)):
            for name, text in source.items():
                member = members.get(name)
                if member is not None:
                    found[member[0]] = member[1](name, text)
        if plan.metadata is not None:
            found[plan.metadata] = {name[11:]: text for name, text in headers.items() if name.startswith("x-amz-meta-")}
        return found

    def parse_document(self, operation: str, body: bytes) -> dict[str, Any]:
        """The payload member of an operation, read from its XML document.

        Raises:
            S3Error: MalformedXML.
        """
        plan = self._inputs.get(operation) or self._plan_input(operation)
        if plan.payload is None:
            raise LookupError(f"{operation} has no document")
        root, shape = plan.payload
        node = parse_xml(body)
        if node is None or node.name != root:
            raise S3Error("MalformedXML")
        return _read_structure(node, shape)

    def needs_digest(self, operation: str) -> bool:
        """Whether the body of an operation must come with Content-MD5 or a checksum (catalogue LINT-015)."""
        model = self._service.operation_model(operation)
        return operation not in _NO_DIGEST and bool((model.http_checksum or {}).get("requestChecksumRequired"))

    def output_payload(self, operation: str) -> str | None:
        """The member that is the whole document of an output, where one is."""
        shape = self._service.operation_model(operation).output_shape
        return shape.serialization.get("payload") if shape is not None else None

    def write(self, operation: str, output: dict[str, Any]) -> Encoded:
        """An output by model names: header members become headers, the rest the document."""
        plan = self._outputs.get(operation) or self._plan_output(operation)
        headers = []
        for name, value in output.items():
            located = plan.headers.get(name)
            if located is not None and value is not None:
                headers.append((located[0], located[1](value)))
        metadata = output.get("Metadata")
        if metadata:
            headers += [(f"x-amz-meta-{name}", value) for name, value in metadata.items()]
        return Encoded(plan.status, headers, plan.document(output) if plan.document else b"")

    def _plan_input(self, operation: str) -> _InputPlan:
        query, headers = {}, {}
        metadata, payload = None, None
        shape = self._service.operation_model(operation).input_shape
        for name, member in shape.members.items() if shape is not None else ():
            where, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
            if where == "querystring":
                query[wire_name] = (name, _reader(name, member))
            elif where == "header":
                headers[wire_name.lower()] = (name, _reader(name, member))
            elif where == "headers":
                metadata = name
            elif where is None and isinstance(member, StructureShape):
                payload = (wire_name, member)
        plan = _InputPlan(query, headers, metadata, payload)
        self._inputs[operation] = plan
        return plan

    def _plan_output(self, operation: str) -> _OutputPlan:
        if operation not in self._service.operation_names:  # POST Object, which the model does not know
            plan = self._outputs[operation] = _OutputPlan(200, {}, None)
            return plan
        model = self._service.operation_model(operation)
        shape = model.output_shape
        headers = {}
        for name, member in shape.members.items() if shape is not None else ():
            if member.serialization.get("location") == "header":
                wire_name = member.serialization["name"]
                headers[name] = (_HEADER_CASE.get(wire_name, wire_name), _header_text(member))
        plan = _OutputPlan(model.http.get("responseCode", 200), headers, _document(operation, model))
        self._outputs[operation] = plan
        return plan


# Reading


def _reader(name: str, shape: Shape) -> Callable[[str, str], Any]:
    if name in _TEXT_MEMBERS:
        return lambda _name, text: text
    if shape.type_name in ("integer", "long"):
        return _read_integer
    if shape.type_name == "boolean":
        return lambda _name, text: text.lower() == "true"
    return lambda _name, text: text


def _read_integer(name: str, text: str) -> int | None:
    """An empty value is as if absent (catalogue MPU-034)."""
    if not text:
        return None
    if not _INTEGER.match(text):
        raise invalid_argument(name, text, f"Provided {name} not an integer or within integer range")
    return int(text)


def _read(node: Node, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _read_structure(node, shape)
    if isinstance(shape, ListShape):
        return [_read(child, shape.member) for child in node.children]
    if node.children:
        raise S3Error("MalformedXML")
    if shape.type_name in ("integer", "long"):
        text = node.text.strip()
        if not _INTEGER.match(text) or (shape.type_name == "integer" and abs(int(text)) >= 2**31):
            raise S3Error("MalformedXML")
        return int(text)
    if shape.type_name == "boolean":
        return node.text.strip().lower() == "true"
    return _listed(node.text, shape)


def _listed(text: str, shape: Shape) -> str:
    """A text, which must be one of those that the model lists if it lists any."""
    listed = getattr(shape, "enum", None)
    if listed and shape.name not in _OPEN_ENUMS and text not in listed:
        raise S3Error("MalformedXML")
    return text


def _read_structure(node: Node, shape: StructureShape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            found |= {name: _listed(node.attributes[wire_name], member)} if wire_name in node.attributes else {}
            continue
        nodes = [child for child in node.children if child.name == wire_name]
        if nodes and isinstance(member, ListShape) and member.serialization.get("flattened"):
            found[name] = [_read(child, member.member) for child in nodes]
        elif nodes:
            found[name] = _read(nodes[0], member)
    if any(name not in found for name in shape.required_members):
        raise S3Error("MalformedXML")
    return found


# Writing


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _header_text(shape: Shape) -> Text:
    if shape.type_name == "timestamp":
        return lambda value: value if isinstance(value, str) else http_time(value)
    return _boolean if shape.type_name == "boolean" else str


def _body_time(value: int | str) -> str:
    return escape(value) if isinstance(value, str) else iso_time(value)  # a stored configuration keeps its text


def _scalar_text(shape: Shape) -> Text:
    kind = shape.type_name
    if kind == "timestamp":
        return _body_time
    if kind == "boolean":
        return _boolean
    # A listed value needs no escaping: what is not in the list is refused when it is read.
    return str if kind in ("integer", "long") or getattr(shape, "enum", None) else escape


def _ordered(shape: StructureShape) -> list[tuple[str, Shape]]:
    first = _FIRST.get(shape.name, ())
    rest = [name for name in shape.members if name not in first]
    return [(name, shape.members[name]) for name in (*first, *rest)]


def _element(name: str, shape: Shape) -> tuple[str, Text, str]:
    """What stands before the text of an element (or of several, for a list), how to write that, what stands behind."""
    if isinstance(shape, StructureShape):
        return _structure_element(name, shape)
    if not isinstance(shape, ListShape):
        return f"<{name}>", _scalar_text(shape), f"</{name}>"
    if shape.serialization.get("flattened"):
        return "", _repeated(*_element(name, shape.member)), ""
    inner = shape.member.serialization.get("name", "member")
    return f"<{name}>", _repeated(*_element(inner, shape.member)), f"</{name}>"


def _repeated(opening: str, text: Text, closing: str) -> Text:
    between = closing + opening

    def write_all(values: Any) -> str:
        if not values:
            return ""
        texts = values if text is str else [text(value) for value in values]
        return f"{opening}{between.join(texts)}{closing}"

    return write_all


def _structure_element(name: str, shape: StructureShape) -> tuple[str, Text, str]:
    text = _members_text(shape)
    attribute = next((n for n, m in shape.members.items() if m.serialization.get("xmlAttribute")), None)
    if attribute is None:
        return f"<{name}>", text, f"</{name}>"
    space, wire_name = shape.serialization["xmlNamespace"], shape.members[attribute].serialization["name"]
    opening = f'<{name} xmlns:{space["prefix"]}="{space["uri"]}" {wire_name}="'

    def write_whole(value: Any) -> str:
        return f'{opening}{escape(value[attribute])}">{text(value)}</{name}>'

    return "", write_whole, ""


def _mixed_text(shape: StructureShape, names: tuple[str, ...]) -> Text:
    elements = {name: _element(shape.members[name].serialization["name"], shape.members[name].member) for name in names}

    def write_mixed(entries: Any) -> str:
        parts = []
        for name, value in entries:
            opening, text, closing = elements[name]
            parts.append(f"{opening}{text(value)}{closing}")
        return "".join(parts)

    return write_mixed


def _members_text(shape: StructureShape) -> Text:
    """Writes the members of a structure that have a value."""
    elements: dict[str, tuple[str, Text, str]] = {}
    mixed = _MIXED.get(shape.name, ())
    for member_name, member in _ordered(shape):
        if member_name in mixed[:1]:
            elements[member_name] = ("", _mixed_text(shape, mixed), "")
        if member_name in mixed or member.serialization.get("xmlAttribute") or "location" in member.serialization:
            continue
        elements[member_name] = _element(member.serialization.get("name", member_name), member)
    compiled: dict[tuple[str, ...], Text] = {}

    def write_members(value: Any) -> str:
        if None in value.values():
            value = {name: item for name, item in value.items() if item is not None}
        names = tuple(value)
        text = compiled.get(names)
        if text is None:
            text = compiled[names] = _compile({name: elements[name] for name in elements if name in names})
        return text(value)

    return write_members


def _compile(elements: dict[str, tuple[str, Text, str]]) -> Text:
    """One expression that writes exactly these members, made as `dataclasses` makes its methods.

    A page of a thousand keys is a thousand entries with the same members: a loop over these for each entry would
    cost twice the time. All names in the source come from the service model.
    """
    source, scope = "", {}
    for number, (name, (opening, text, closing)) in enumerate(elements.items()):
        scope[f"text{number}"] = text
        item = f"value[{name!r}]"
        source += f"{opening}{{{item if text is str else f'text{number}({item})'}}}{closing}"
    made: Text = eval(f"lambda value: f{chr(34) * 3}{source}{chr(34) * 3}", scope)  # noqa: S307 - see above
    return made


def _document(operation: str, model: OperationModel) -> Callable[[dict[str, Any]], bytes] | None:
    """Writes the whole document of an operation; None if it has none."""
    shape = model.output_shape
    if shape is None or model.has_streaming_output:
        return None
    payload = shape.serialization.get("payload")
    if payload is not None:
        member = shape.members[payload]
        if not isinstance(member, StructureShape):
            return None
        root, body_shape = member.serialization.get("name", payload), member
    elif any("location" not in member.serialization for member in shape.members.values()):
        root, body_shape = ROOTS.get(operation, operation + "Result"), shape
    else:
        return None
    opening = f'{DECLARATION}<{root} xmlns="{NAMESPACE}">'
    text_member = _ROOT_TEXT.get(operation)
    text = _members_text(body_shape)

    def write_document(output: dict[str, Any]) -> bytes:
        if text_member is not None:
            return f"{opening}{escape(output.get(text_member) or '')}</{root}>".encode()
        return f"{opening}{text(output[payload] if payload else output)}</{root}>".encode()

    return write_document
