"""How Storj's gateways write their answers: without what is newer than they are, and two errors as JSON.

Source: storj/minio 95a3fa194e41, cmd (api-response.go, bucket-handlers.go).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from reference_server.answers import with_body
from reference_server.call import Call, Result
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.wire import Answer

#: Of members of a result: what the gateways know nothing of.
_UNKNOWN = ("Checksum", "ServerSideEncryption", "SSE", "BucketKeyEnabled")
Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]


class JsonError(S3Error):
    """An error whose document is JSON: two handlers write theirs in the form of MinIO's administration."""


def _shown(call: Call, members: dict[str, Any]) -> dict[str, Any]:
    """The members of a result as the gateways show them."""
    kept = _without(members)
    if call.operation == "ListBuckets":
        kept["Owner"] = {**kept["Owner"], "DisplayName": "minio"}
    return kept


def _without(members: dict[str, Any]) -> dict[str, Any]:
    """Members, and those below them, less what the gateways know nothing of."""
    return {
        name: value if name == "Metadata" else _known(value)
        for name, value in members.items()
        if not name.startswith(_UNKNOWN)
    }


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return _without(value)
    return [_known(entry) for entry in value] if isinstance(value, list) else value


def serialise(inner: Serialise) -> Serialise:
    """Wrap the seam `serialise`."""

    def written(call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, Result) and call is not None:
            outcome.members = _shown(call, outcome.members)
        answer = inner(call, outcome)
        if isinstance(outcome, JsonError) and call is not None:
            with_body(answer, _json(call, outcome, answer.headers), "application/json")
        return answer

    return written


def _json(call: Call, error: S3Error, headers: Iterable[tuple[str, str]]) -> bytes:
    ids = {name.lower(): value for name, value in headers}
    said = {
        "Code": error.code,
        "Message": error.message,
        "BucketName": call.request.bucket,
        "Resource": call.request.raw_path,
        "RequestId": ids.get("x-amz-request-id", ""),
        "HostId": ids.get("x-amz-id-2", ""),
    }
    return json.dumps(said).encode()
