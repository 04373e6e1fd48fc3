"""From method, level and query to the name of an operation, by the service model's own table.

Every sub-resource that the model knows takes part, offered or not: `DELETE /bucket?policy` must never act as
`DELETE /bucket` (catalogue CFG-009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from reference_server.request import Request

#: Not an operation of the model: a form that a browser posts to a bucket.
POST_OBJECT = "PostObject"
# ListDirectoryBuckets shares GET / but belongs to another endpoint, as does WriteGetObjectResponse.
_ELSEWHERE = {"ListDirectoryBuckets", "WriteGetObjectResponse"}
_LEVELS = {"/": "service", "/{Bucket}": "bucket", "/{Bucket}/{Key+}": "object"}


@dataclass(frozen=True)
class _Rule:
    operation: str
    required_query: frozenset[str]
    required_headers: frozenset[str]
    known_query: frozenset[str]

    def fits(self, query: dict[str, str], headers: dict[str, str]) -> bool:
        return self.required_query <= query.keys() and self.required_headers <= headers.keys()


class Router:
    """The routing table of a service model (its raw JSON document)."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._rules: dict[tuple[str, str, str], list[_Rule]] = {}
        self._methods: dict[tuple[str, str], set[str]] = {}
        self._subresources: set[str] = set()
        for name, operation in document["operations"].items():
            if name not in _ELSEWHERE and not operation.get("deprecated"):
                self._add(name, operation, document["shapes"])
        for rules in self._rules.values():
            rules.sort(key=lambda rule: -len(rule.required_query | rule.required_headers))

    def _add(self, name: str, operation: dict[str, Any], shapes: dict[str, Any]) -> None:
        path, _, query = operation["http"]["requestUri"].partition("?")
        level, method = _LEVELS[path], operation["http"]["method"]
        names = [piece.partition("=")[0] for piece in query.split("&") if piece]
        subresource = names[0] if names else ""
        self._subresources.update(names)
        shape = shapes[operation["input"]["shape"]] if "input" in operation else {"members": {}}
        required = set(shape.get("required", ()))
        members = shape["members"]
        located = {
            where: {m["locationName"] for n, m in members.items() if m.get("location") == where and n in required}
            for where in ("querystring", "header")
        }
        known = frozenset(m["locationName"] for m in members.values() if m.get("location") == "querystring")
        headers = frozenset(header.lower() for header in located["header"] if header.startswith("x-amz-"))
        rule = _Rule(name, frozenset(located["querystring"]), headers, known)
        self._rules.setdefault((level, method, subresource), []).append(rule)
        self._methods.setdefault((level, subresource), set()).add(method)

    def route(self, request: Request) -> str:
        """The operation that a request asks for, whether this server offers it or not.

        Raises:
            S3Error: MethodNotAllowed, InvalidArgument, InvalidRequest: no operation of S3 is meant.
        """
        query = request.parameters
        subresources = [name for name in query if name in self._subresources]
        subresource = self._single(subresources, query)
        rules = self._rules.get((request.level, request.method, subresource))
        if (request.method, request.level, subresource) == ("POST", "bucket", ""):
            return POST_OBJECT
        if rules is None:
            raise self._no_rule(request, subresource)
        for rule in rules:
            if rule.fits(query, request.headers):
                self._check_multipart(rule, request)
                return rule.operation
        if subresource:
            return rules[-1].operation  # as ?inventory without its id: still that operation, and no other
        raise self._no_rule(request, "")

    def _single(self, subresources: list[str], query: dict[str, str]) -> str:
        if "list-type" in subresources and query["list-type"] != "2":
            raise invalid_argument("list-type", query["list-type"], "Invalid List Type")
        if "select-type" in subresources and "select" in subresources:
            subresources.remove("select-type")
        together = subresources + [name for name in ("uploadId",) if subresources and name in query]
        if len(together) > 1:
            names = ", ".join(together)
            raise invalid_argument("ResourceType", together[0], f"Conflicting query string parameters: {names}")
        return subresources[0] if subresources else ""

    def _check_multipart(self, rule: _Rule, request: Request) -> None:
        """An uploadId or partNumber belongs to the operation, or the request is wrong (MPU-023, MPU-024)."""
        query = request.parameters
        if "uploadId" in query and "uploadId" not in rule.known_query:
            raise _method_not_allowed(request.method, "UPLOAD")
        if "partNumber" in query and "partNumber" not in rule.known_query:
            message = "This operation does not accept a query-string."
            raise invalid_argument("partNumber", query["partNumber"], message)

    def _no_rule(self, request: Request, subresource: str) -> S3Error:
        if subresource and request.level == "object" and ("object", subresource) not in self._methods:
            return S3Error("InvalidRequest", f"There is no such thing as the ?{subresource} sub-resource for a key")
        return _method_not_allowed(request.method, (subresource or request.level).upper())


def _method_not_allowed(method: str, resource: str) -> S3Error:
    return S3Error("MethodNotAllowed", None, {"Method": method, "ResourceType": resource})
