"""Defects of browser forms (POST Object): their policies, their signatures, their fields, and the answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from reference_server.call import Call, Result
from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.routing import POST_OBJECT
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.auth import Account

Operation = Callable[[Call], Result]
Document = dict[str, Any]

_POLICY = re.compile(rb'(?i)(name="policy"\r\n\r\n)([A-Za-z0-9+/=]+)')
_NAMES = re.compile(rb'; name="([^"]+)"')


def _with(call: Call, body: bytes, **endpoint: Any) -> Call:
    """The call with another body, and with an endpoint some of whose attributes are others."""
    request = replace(call.request, body=cast("Any", [body]))
    return replace(call, request=request, endpoint=view(call.endpoint, **endpoint))


def _forms(run: Callable[[Call, bytes, Operation], Result]) -> Wrap:
    """Forms are handled by `run`, which gets the call, its whole body, and the honest operation."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if call.operation != POST_OBJECT:
                return inner(call)
            return run(call, b"".join(call.request.body), inner)

        return operation

    return wrap


# Policies


def _policies(edit: Callable[[Document, list[str]], None]) -> Wrap:
    """The policy is verified as it was sent, and read as `edit` leaves it; it gets the names of the fields too."""

    def run(call: Call, body: bytes, inner: Operation) -> Result:
        found = _POLICY.search(body)
        document = _document(found[2]) if found else None
        if found is None or document is None:
            return inner(_with(call, body))
        edit(document, [name.decode() for name in _NAMES.findall(body)])
        edited = base64.b64encode(json.dumps(document).encode())
        honest = call.endpoint.authenticate_form

        def authenticate(fields: Mapping[str, str]) -> Account:
            return honest({**fields, "policy": found[2].decode()})

        body = body[: found.start(2)] + edited + body[found.end(2) :]
        return inner(_with(call, body, authenticate_form=authenticate))

    return _forms(run)


def _document(policy: bytes) -> Document | None:
    """The document in a policy, if it has conditions."""
    try:
        document = json.loads(base64.b64decode(policy))
    except ValueError:
        return None
    return document if isinstance(document, dict) and "conditions" in document else None


def _endless(document: Document, _names: list[str]) -> None:
    document["expiration"] = "2099-01-01T00:00:00Z"


def _unbounded(document: Document, _names: list[str]) -> None:
    conditions = document["conditions"]
    document["conditions"] = [one for one in conditions if not (isinstance(one, list) and "length" in one[0])]


def _unconditional(document: Document, names: list[str]) -> None:
    kept = [one for one in document["conditions"] if isinstance(one, list) and "length" in one[0]]
    document["conditions"] = kept + [["starts-with", f"${name}", ""] for name in ("bucket", *names) if name != "file"]


def _one_by_one(document: Document, _names: list[str]) -> None:
    single: list[Any] = []
    for one in document["conditions"]:
        single += [{name: value} for name, value in one.items()] if isinstance(one, dict) else [one]
    document["conditions"] = single


family(
    "operation",
    _policies,
    {
        "form-condition-of-two-read": row(
            "A condition of two members in the policy of a form is read as two (POST-010).",
            _one_by_one,
        ),
        "form-conditions-unchecked": row(
            "The conditions in the policy of a form are not checked (POST-008).",
            _unconditional,
        ),
        "form-never-expires": row(
            "The policy of a form holds for ever (POST-005).",
            _endless,
        ),
        "form-size-unchecked": row(
            "The file of a form may have any size, whatever its policy says (POST-009).",
            _unbounded,
        ),
    },
)


# Signatures


def _accounts(change: Callable[[Callable[[Mapping[str, str]], Account], Mapping[str, str], Call], Account]) -> Wrap:
    """Who signed a form is found otherwise; `change` gets the honest way, the fields and the call."""

    def run(call: Call, body: bytes, inner: Operation) -> Result:
        honest = call.endpoint.authenticate_form
        return inner(_with(call, body, authenticate_form=lambda fields: change(honest, fields, call)))

    return _forms(run)


def _unverified(honest: Callable[[Mapping[str, str]], Account], fields: Mapping[str, str], call: Call) -> Account:
    try:
        return honest(fields)
    except S3Error as error:
        bucket = call.store.bucket(call.request.bucket or "")
        owner = call.endpoint.account(bucket.owner) if bucket is not None else None
        if error.code != "SignatureDoesNotMatch" or owner is None:
            raise
        return owner


def _tokenless(honest: Callable[[Mapping[str, str]], Account], fields: Mapping[str, str], _call: Call) -> Account:
    return honest({name: value for name, value in fields.items() if name != "x-amz-security-token"})


family(
    "operation",
    _accounts,
    {
        "form-signature-unchecked": row(
            "The signature of a form is not checked, so that its user can write the policy (POST-006).",
            _unverified,
        ),
        "form-token-unread": row(
            "The session token of a form is not read, so that forms by temporary credentials are refused (POST-016).",
            _tokenless,
        ),
    },
)


# Fields


def _unread(**methods: Callable[[Any], Any]) -> Wrap:
    """What these methods of the codec give is changed on its way."""

    def run(call: Call, body: bytes, inner: Operation) -> Result:
        codec = call.endpoint.codec

        def changed(name: str) -> Callable[..., Any]:
            return lambda *arguments: methods[name](lambda: getattr(codec, name)(*arguments))

        return inner(_with(call, body, codec=view(codec, **{name: changed(name) for name in methods})))

    return _forms(run)


def _less(member: str) -> Callable[[Callable[[], Document]], Document]:
    return lambda honest: {name: value for name, value in honest().items() if name != member}


family(
    "operation",
    lambda methods: _unread(**methods),
    {
        "form-metadata-unread": row(
            "x-amz-meta-* fields of a form are lost (POST-014).",
            {"parse_input": _less("Metadata")},
        ),
        "form-storage-class-unread": row(
            "The storage class in a form is not looked at, whatever it is (POST-015).",
            {"parse_input": _less("StorageClass")},
        ),
        "form-tags-unread": row(
            "The tags in a form are not looked at, whatever they are (POST-013).",
            {"parse_document": lambda _honest: {"TagSet": []}},
        ),
    },
)


def _as_written(call: Call, body: bytes, inner: Operation) -> Result:
    if any(name != name.lower() and name.lower() in (b"key", b"policy") for name in _NAMES.findall(body)):
        raise invalid_argument("key", "", "Bucket POST must contain a field named 'key'.")
    return inner(_with(call, body))


def _nameless(call: Call, body: bytes, inner: Operation) -> Result:
    return inner(_with(call, re.sub(rb'(; name="file"); filename="[^"]*"', rb"\1", body)))


# Answers


def _answered(change: Callable[[Result], None]) -> Callable[[Call, bytes, Operation], Result]:
    def run(call: Call, body: bytes, inner: Operation) -> Result:
        result = inner(_with(call, body))
        change(result)
        return result

    return run


def _as_204(result: Result) -> None:
    typed = ("content-type", "content-length")
    result.status, result.body = 204, None
    result.headers = [pair for pair in result.headers if pair[0].lower() not in typed]


def _as_200(result: Result) -> None:
    result.status = 200 if result.status == 204 else result.status


def _refused(meant: Callable[[S3Error], bool], code: str, status: int) -> Callable[[Call, bytes, Operation], Result]:
    def run(call: Call, body: bytes, inner: Operation) -> Result:
        try:
            return inner(_with(call, body))
        except S3Error as error:
            if meant(error):
                raise S3Error(code, None, status=status) from None
            raise

    return run


def _not_there(_call: Call, _body: bytes, _inner: Operation) -> Result:
    raise S3Error("NotImplemented", "POST of a form is not implemented.", status=501)


family(
    "operation",
    _forms,
    {
        "form-answered-200": row(
            "A form without success_action_status is answered 200 instead of 204 (POST-001).",
            _answered(_as_200),
        ),
        "form-answered-204": row(
            "A form is always answered 204, whatever status or page it asks for (POST-002).",
            _answered(_as_204),
        ),
        "form-field-names-as-written": row(
            "The fields of a form are only found in small letters (POST-011).",
            _as_written,
        ),
        "form-filename-literal": row(
            "The variable for the name of the file stays in the key of a form (POST-004).",
            _nameless,
        ),
        "form-incomplete-403": row(
            "A form that lacks a field is AccessDenied like any other refusal (POST-007).",
            _refused(lambda error: error.elements.get("ArgumentValue") == "", "AccessDenied", 403),
        ),
        "form-type-400": row(
            "A form of another Content-Type is a bad request instead of a failed precondition (POST-012).",
            _refused(lambda error: error.code == "PreconditionFailed", "MalformedPOSTRequest", 400),
        ),
        "forms-501": row(
            "Browser forms are not implemented (POST-001).",
            _not_there,
        ),
    },
)
