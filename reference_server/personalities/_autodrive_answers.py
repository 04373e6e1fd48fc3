"""How Auto Drive writes its answers: XML as js2xmlparser does, JSON and HTML as Express does.

Source: autonomys/auto-drive, apps/backend/src/app/controllers/s3 (s3.ts, utils.ts) and errors/index.ts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from reference_server.call import Result
from reference_server.errors import REASONS, S3Error
from reference_server.frame import frame
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.wire import Headers

XML = "application/xml; charset=utf-8"
_TYPES = {"xml": XML, "json": "application/json; charset=utf-8", "html": "text/html; charset=utf-8"}
# What the serialiser refuses to write (XML 1.0 §2.2).
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Elements of a document in order; a list repeats its element.
Tree = Mapping[str, Any]


class RefusedError(S3Error):
    """A refusal that is not an S3 error document.

    Args:
        status: HTTP status.
        message: in the `error` member of a JSON body, or in an HTML page.
        form: which of the two.
    """

    def __init__(self, status: int, message: str, form: Literal["json", "html"] = "json") -> None:
        super().__init__("", message, status=status)
        self.form = form


def not_found(bucket: str, key: str) -> RefusedError:
    """404 for an object that is not there."""
    return RefusedError(404, f"Object {bucket}/{key} not found")


def broken() -> RefusedError:
    """What Express answers to an exception that nobody caught."""
    return RefusedError(500, "Internal Server Error", "html")


def document(root: str, tree: Tree) -> bytes:
    """An XML document: single-quoted declaration, no namespace, indented by four blanks.

    Raises:
        RefusedError: a text has characters that XML does not have.
    """
    return f"<?xml version='1.0'?>\n{_element(root, tree, '')}".encode()


def _element(name: str, value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        deeper = indent + "    "
        children = [_element(child, item, deeper) for child, items in value.items() for item in _each(items)]
        inside = "\n".join(children)
        return f"{indent}<{name}>\n{inside}\n{indent}</{name}>" if children else f"{indent}<{name}/>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if unwritable(text):
        raise broken()
    return f"{indent}<{name}>{escape(text)}</{name}>" if text else f"{indent}<{name}/>"


def unwritable(text: str) -> bool:
    """Whether a text has characters that XML does not have."""
    return _UNWRITABLE.search(text) is not None


def _each(items: Any) -> list[Any]:
    return items if isinstance(items, list) else [items]


def result(root: str, tree: Tree, headers: Headers | None = None) -> Result:
    """The answer of an operation: a document, with the weak ETag that Express gives unless there is one."""
    body = document(root, tree)
    own = [name for name, _ in headers or [] if name == "ETag"]
    tag = [] if own else [("ETag", weak_etag(body))]
    described = [("Content-Type", XML), ("Content-Length", str(len(body)))]
    return Result(headers=[*(headers or []), *described, *tag], body=body, length=len(body))


def refusal(error: S3Error) -> Answer:
    """An error in the form that it has: XML with code and message and nothing else, JSON or HTML."""
    form, body = _refusal_body(error)
    headers = [("Content-Type", _TYPES[form]), ("Content-Length", str(len(body))), *error.headers.items()]
    if form != "html":
        headers.append(("ETag", weak_etag(body)))
    return Answer(error.status, frame(headers), body)


def _refusal_body(error: S3Error) -> tuple[str, bytes]:
    if not isinstance(error, RefusedError):
        return "xml", document("Error", {"Code": error.code, "Message": error.message, **error.elements})
    if error.form == "json":
        return "json", json.dumps({"error": error.message}, separators=(",", ":"), ensure_ascii=False).encode()
    text = escape(error.message or REASONS[error.status], {'"': "&quot;"})
    page = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n'
    return "html", f"{page}<pre>{text}</pre>\n</body>\n</html>\n".encode()


def weak_etag(body: bytes) -> str:
    """The ETag that Express gives a document: length in hex and the beginning of its SHA-1."""
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return f'W/"{len(body):x}-{digest[:27]}"'
