"""How a defect is shown: one question to a server, whose answer is wrong with the defect and right without it."""

from __future__ import annotations

import ast
import hashlib
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server.defects import defects, registry
from tests.reference_server.catalogue.steps import fields, md5_header, texts, tree
from tests.reference_server.signing import Signer, unsigned_body

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

TEN = b"0123456789"
ETAG = f'"{hashlib.md5(TEN).hexdigest()}"'
FOLDER = Path(registry.__file__).parent
_numbers = itertools.count()


def target(bucket: str, query: str) -> str:
    """A bucket and a query, whose values are percent-encoded as the signature wants them."""
    pairs = [piece.partition("=") for piece in query.split("&") if piece]
    return f"/{bucket}?" + "&".join(f"{name}{mark}{quote(value, safe='')}" for name, mark, value in pairs)


@dataclass
class Lab:
    """A server to be made wrong."""

    running: Running
    raw: Raw = field(init=False)

    def __post_init__(self) -> None:
        self.raw = self.running.raw()

    def behave(self, *names: str) -> None:
        """Behave with exactly these defects."""
        self.running.app.behave(names)

    def bucket(self) -> str:
        """A new bucket."""
        name = f"defect-{os.getpid()}-{next(_numbers)}"
        assert self.raw("PUT", f"/{name}").status == 200
        return name

    def signed(
        self,
        method: str,
        target: str,
        signer: Signer,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        payload: str | None = None,
        *,
        with_host: bool = True,
    ) -> Reply:
        """A request signed by the specification's own arithmetic."""
        keyword = hashlib.sha256(body).hexdigest() if payload is None else payload
        named = {"Host": self.raw.host} if with_host else {}
        sent = signer.headers(method, target, {**named, **(headers or {})}, keyword)
        return self.raw(method, target, body, sign=False, unsigned=sent)

    def presigned(self, target: str, signer: Signer, expires: str = "60") -> Reply:
        """GET of a presigned URL."""
        return self.raw("GET", signer.presigned("GET", target, {"Host": self.raw.host}, expires), sign=False)

    def pages(self, bucket: str, query: str, limit: int = 5) -> list[list[str]]:
        """Keys and common prefixes of each page of a version 2 listing, at most so many."""
        found: list[list[str]] = []
        token = ""
        while len(found) < limit:
            page = tree(self.raw("GET", target(bucket, f"list-type=2&{query}{token}")))
            found.append([*texts(page, "Contents/Key"), *texts(page, "CommonPrefixes/Prefix")])
            shown = fields(page)
            if shown["IsTruncated"] != "true":
                break
            token = f"&continuation-token={shown['NextContinuationToken']}"
        return found

    def keys(self, bucket: str, query: str = "") -> list[str]:
        """Keys and common prefixes of the first page."""
        return self.pages(bucket, query, 1)[0]


def empty(lab: Lab) -> str:
    """An empty bucket."""
    return lab.bucket()


def keys(*names: str) -> Callable[[Lab], str]:
    """A bucket with these keys."""

    def given(lab: Lab) -> str:
        bucket = lab.bucket()
        for name in names:
            assert lab.raw("PUT", f"/{bucket}/{quote(name)}", TEN).status == 200
        return bucket

    return given


def one(lab: Lab) -> str:
    """A bucket with the object `key` of ten bytes, with a type, a tag and metadata."""
    bucket = lab.bucket()
    headers = {"Content-Type": "text/plain", "x-amz-meta-color": "red", "x-amz-tagging": "a=b"}
    assert lab.raw("PUT", f"/{bucket}/key", TEN, headers).headers["etag"] == ETAG
    return bucket


def versioned(lab: Lab) -> str:
    """A bucket with two versions of `key`."""
    bucket = lab.bucket()
    document = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert lab.raw("PUT", f"/{bucket}?versioning", document, md5_header(document)).status == 200
    for body in (b"older", b"newer"):
        assert lab.raw("PUT", f"/{bucket}/key", body).status == 200
    return bucket


def version_ids(lab: Lab, bucket: str) -> list[str]:
    """Version ids of `key`, delete markers among them, in the order of the listing."""
    return lab.raw("GET", f"/{bucket}?versions").elements("VersionId")


def trailing(lab: Lab, target: str, algorithm: str, value: str, *, length: int = len(TEN)) -> Reply:
    """PUT of the ten bytes as aws-chunked without signatures, with a trailing checksum."""
    name = f"x-amz-checksum-{algorithm}"
    headers = {"Content-Encoding": "aws-chunked", "x-amz-trailer": name, "x-amz-decoded-content-length": str(length)}
    body = unsigned_body(TEN, trailers=[f"{name}:{value}"])
    return lab.signed("PUT", target, Signer(), body, headers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")


@dataclass(frozen=True)
class Probe:
    """One question.

    Attributes:
        ask: gets a server, and a bucket as `given` left it; what it observes.
        honest: what it observes without the defect.
        wrong: what it observes with it.
        given: prepares a bucket on the honest server.
    """

    ask: Callable[[Lab, str], Any]
    honest: Any
    wrong: Any
    given: Callable[[Lab], str] = one

    def observe(self, lab: Lab, *names: str) -> Any:
        """The answer of a server with these defects, honest before and afterwards."""
        bucket = self.given(lab)
        lab.behave(*names)
        try:
            return self.ask(lab, bucket)
        finally:
            lab.behave()


def names_in(module: str) -> set[str]:
    """The defects that a module of `reference_server.defects` registers: their names stand in its source."""
    source = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    constants = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    return defects().keys() & constants
