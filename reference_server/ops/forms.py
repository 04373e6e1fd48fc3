"""POST Object: a browser uploads a file with a form. Source: catalogue POST; Amazon S3 API Reference, "POST Object"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import multipart

from reference_server import access
from reference_server.auth import UNSIGNED, Authenticated
from reference_server.call import Call, Handler, Result, checked
from reference_server.codec import DECLARATION
from reference_server.errors import S3Error, invalid_argument
from reference_server.ops.objects import store_object
from reference_server.request import MAX_KEY
from reference_server.routing import POST_OBJECT
from reference_server.rules import postpolicy, tags
from reference_server.xmltext import escape
from reference_server.xmltree import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_server.rules.postpolicy import PostPolicy
    from reference_server.store import Bucket
    from reference_server.wire import Body

_MAX_FIELDS = 20 * 1024
_STATUSES = {"200": 200, "201": 201}
# RFC 2046 §5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]\Z")


class _Form:
    """The fields before the file, by lower-case name, then the file as it comes.

    Raises:
        S3Error: MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument.
    """

    def __init__(self, content_type: str, body: Body) -> None:
        kind, options = multipart.parse_options_header(content_type)
        if kind != "multipart/form-data":
            condition = "Bucket POST must be of the enclosure-type multipart/form-data"
            raise S3Error("PreconditionFailed", None, {"Condition": condition})
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        boundary = options.get("boundary", "")
        if not _BOUNDARY.match(boundary):
            raise _malformed("its boundary is none")
        self._parser = multipart.PushMultipartParser(boundary, max_segment_count=200)
        self._events = self._parsed(body)
        self._read_fields()

    def _parsed(self, body: Body) -> Iterator[Any]:
        try:
            for data in body:
                yield from self._parser.parse(data)
            self._parser.close()
        except multipart.MultipartError as error:
            raise _malformed(error) from None

    def _read_fields(self) -> None:
        size, name = 0, ""
        value = b""
        for event in self._events:
            if isinstance(event, multipart.MultipartSegment):
                name, value = (event.name or "").lower(), b""
                if name == "file":
                    self.filename = event.filename
                    return
                size += len(name)
            elif event is None:
                self.fields[name] = value.decode("utf-8", "replace")
            else:
                value += event
                size += len(event)
            if size > _MAX_FIELDS:
                elements: dict[str, object] = {"MaxPostPreDataLengthBytes": _MAX_FIELDS}
                raise S3Error("MaxPostPreDataLengthExceededError", None, elements)
        raise invalid_argument("file", "0", "POST requires exactly one file upload per request.")

    def file(self, policy: PostPolicy | None) -> Iterator[bytes]:
        """The bytes of the file; what follows it is read and ignored."""
        size = 0
        for event in self._events:
            if event is None:
                break
            size += len(event)
            if policy is not None and policy.length_range is not None and size > policy.length_range[1]:
                policy.check_length(size)  # no need to wait for the rest
            yield bytes(event)
        for _ in self._events:
            pass
        if policy is not None:
            policy.check_length(size)


def _malformed(error: Exception | str) -> S3Error:
    message = f"The body of your POST request is not well-formed multipart/form-data: {error}"
    return S3Error("MalformedPOSTRequest", message)


def post_object(call: Call) -> Result:
    """POST Object."""
    name = call.request.bucket or ""
    bucket = checked(call.store.bucket(name), name)
    call.payload().require_length(call.request.headers)
    form = _Form(call.request.headers.get("content-type", ""), call.request.body)
    version = postpolicy.check_fields(form.fields)
    # Before the policy sees them (User Guide, "HTML forms": all fields know the variable).
    fields = {name: postpolicy.substitute_filename(value, form.filename) for name, value in form.fields.items()}
    key = fields["key"]
    policy, account = None, call.account
    if version is not None:
        account = call.endpoint.authenticate_form(form.fields)
        policy = postpolicy.parse(form.fields["policy"])
        policy.check({**fields, "bucket": bucket.name}, call.store.clock())
    if not key:
        raise invalid_argument("key", "", "User key must have a length greater than 0.")
    if len(key.encode()) > MAX_KEY:
        raise S3Error("KeyTooLongError", None, {"Size": len(key.encode()), "MaxSizeAllowed": MAX_KEY})
    inner = _as_put(call, fields, Authenticated(account, UNSIGNED), key)
    inner.request = replace(inner.request, body=cast("Body", form.file(policy)))
    access.require(inner, bucket, "PutObject", key, inner.members)
    result = store_object(inner, bucket, inner.payload(hex_md5=True))
    return _answer(call, bucket, fields, key, result)


def _as_put(call: Call, fields: dict[str, str], authenticated: Authenticated, key: str) -> Call:
    """The PutObject that a form stands for: its fields are the headers, as bytes would read on the wire."""
    headers = {name: value.encode().decode("latin-1") for name, value in fields.items() if name != "content-length"}
    headers["host"] = call.request.headers["host"]
    if "acl" in headers:
        headers["x-amz-acl"] = headers.pop("acl")
    members = call.endpoint.codec.parse_input("PutObject", {}, headers)
    if "tagging" in fields:
        members["Tagging"] = _tagging(call, fields["tagging"])
    request = replace(call.request, key=key, query=[], headers=headers)
    return Call(call.endpoint, request, authenticated, "PutObject", members)


def _tagging(call: Call, text: str) -> str | None:
    """The tags of the document in the field, in the form of x-amz-tagging; any other document has none (POST-013)."""
    root = parse_xml(text.encode())
    if root is not None and root.name != "Tagging":
        return None
    tag_set = call.endpoint.codec.parse_document("PutObjectTagging", text.encode())["TagSet"]
    tags.check(tag_set, tags.OBJECT_LIMIT)
    return urlencode([(tag["Key"], tag["Value"]) for tag in tag_set]) or None


def _answer(call: Call, bucket: Bucket, fields: dict[str, str], key: str, stored: Result) -> Result:
    """204, 200 or 201 with a document, or a redirect (POST-001 to POST-003)."""
    etag = stored.members["ETag"]
    location = call.location(key)
    encoded = call.endpoint.codec.write("PutObject", stored.members)
    headers = [*encoded.headers, ("Location", location)]
    wanted = fields.get("success_action_redirect") or fields.get("redirect")
    redirect = postpolicy.redirect_location(wanted, bucket.name, key, etag) if wanted else None
    if redirect is not None:
        return Result(status=303, headers=[*encoded.headers, ("Location", redirect)])
    status = _STATUSES.get(fields.get("success_action_status", ""), 204)
    if status != 201:
        return Result(status=status, headers=headers)
    values = {"Location": location, "Bucket": bucket.name, "Key": key, "ETag": etag}
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    document = f"{DECLARATION}<PostResponse>{inside}</PostResponse>".encode()
    headers += [("Content-Type", "application/xml"), ("Content-Length", str(len(document)))]
    return Result(status=201, headers=headers, body=document)


HANDLERS: dict[str, Handler] = {POST_OBJECT: post_object}
