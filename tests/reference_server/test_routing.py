"""Every request means one operation, or is refused: nothing falls through to another operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reference_server.app import App
from reference_server.model import service_model
from reference_server.routing import Router
from reference_server.store import Store
from reference_server.wire import Body

if TYPE_CHECKING:
    from conftest import Raw

_ELSEWHERE = {"ListDirectoryBuckets", "WriteGetObjectResponse"}
OPERATIONS = {
    name: operation
    for name, operation in service_model().document["operations"].items()
    if name not in _ELSEWHERE and not operation.get("deprecated")
}


def offered() -> set[str]:
    store = Store()
    try:
        return set(App(store, {}).operations)
    finally:
        store.close()


OFFERED = offered()


def request_for(name: str) -> tuple[str, str, dict[str, str]]:
    """Method, path with query, headers that ask for an operation with all it requires."""
    operation = OPERATIONS[name]
    shape = service_model().document["shapes"][operation["input"]["shape"]] if "input" in operation else {}
    path = operation["http"]["requestUri"].replace("{Bucket}", "BUCKET").replace("{Key+}", "key")
    query, headers = [], {}
    for member in shape.get("required", ()):
        described = shape["members"][member]
        if described.get("location") == "querystring":
            query.append(f"{described['locationName']}=1")
        elif described.get("location") == "header":
            headers[described["locationName"]] = "BUCKET/key"
    joined = "&".join(query)
    separator = "&" if "?" in path else "?"
    return operation["http"]["method"], path + (separator + joined if joined else ""), headers


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_model_routes_to_itself(name: str) -> None:
    from reference_server.request import parse
    from reference_server.wire import Head

    method, path, headers = request_for(name)
    head = Head(method, path.encode(), True, {"host": "h", **{k.lower(): v for k, v in headers.items()}})
    nothing: Any = None
    request = parse(head, Body(nothing, {}), ())
    assert Router(service_model().document).route(request) == name


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - OFFERED))
def test_what_is_not_offered_is_501_and_changes_nothing(raw: Raw, bucket: str, name: str) -> None:
    raw("PUT", f"/{bucket}/key", b"kept")
    method, path, headers = request_for(name)
    body = b"<x/>" if method in ("PUT", "POST") else b""
    reply = raw(method, path.replace("BUCKET", bucket), body, headers)
    assert (reply.status, reply.code) == (501, "NotImplemented")
    assert reply.headers["content-type"] == "application/xml"
    assert raw("GET", f"/{bucket}/key").body == b"kept"
    assert raw("GET", f"/{bucket}").elements("Key") == ["key"]


@pytest.mark.parametrize(
    ("method", "target", "status", "code", "resource"),
    [
        ("POST", "/", 405, "MethodNotAllowed", "SERVICE"),
        ("DELETE", "/", 405, "MethodNotAllowed", "SERVICE"),
        ("PATCH", "/{b}/k", 405, "MethodNotAllowed", "OBJECT"),
        ("POST", "/{b}/k", 405, "MethodNotAllowed", "OBJECT"),
        ("POST", "/{b}?acl", 405, "MethodNotAllowed", "ACL"),
        ("DELETE", "/{b}/k?acl", 405, "MethodNotAllowed", "ACL"),
        ("DELETE", "/{b}?uploads", 405, "MethodNotAllowed", "UPLOADS"),
        ("GET", "/{b}/k?versions", 400, "InvalidRequest", ""),
        ("DELETE", "/{b}/k?policy", 400, "InvalidRequest", ""),
        ("GET", "/{b}?acl&policy", 400, "InvalidArgument", ""),
        pytest.param("PUT", "/{b}/k?partNumber=1", 400, "InvalidArgument", "", marks=pytest.mark.catalogue("MPU-023")),
        ("HEAD", "/", 405, "", ""),
        ("OPTIONS", "/{b}", 400, "BadRequest", ""),
    ],
)
def test_what_means_nothing_is_refused(
    raw: Raw, bucket: str, method: str, target: str, status: int, code: str, resource: str
) -> None:
    raw("PUT", f"/{bucket}/k", b"kept")
    reply = raw(method, target.format(b=bucket))
    assert (reply.status, reply.code, reply.element("ResourceType")) == (status, code, resource)
    assert raw("GET", f"/{bucket}/k").body == b"kept"


def test_hints_and_unknown_parameters_are_ignored(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k?x-id=PutObject", b"x")
    assert raw("GET", f"/{bucket}/k?x-id=GetObject&unknown=1").body == b"x"
    assert raw("GET", f"/{bucket}/?list-type=2").element("Key") == "k"


def test_preflight_without_configuration_is_forbidden(raw: Raw, bucket: str) -> None:
    reply = raw("OPTIONS", f"/{bucket}/k", headers={"Origin": "http://a"}, sign=False)
    assert (reply.status, reply.code, reply.element("ResourceType")) == (403, "AccessForbidden", "BUCKET")
