"""A model of a bucket with versions, and the operations that a real one and the model go through together."""

from __future__ import annotations

import hashlib
import http.client
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.reference_server.catalogue.histories import Entry, entries
from tests.reference_server.catalogue.steps import completion, md5_header, refusal, tree
from tests.reference_server.conftest import Raw, Reply

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

ID, MARKED = "x-amz-version-id", "x-amz-delete-marker"
KEYS = ("a", "a/b", "é")
PATHS = {"a": "a", "a/b": "a/b", "é": "%C3%A9"}


class Kept(NamedTuple):
    """One version; `body` is None for a delete marker, `etag` without quotes."""

    id: str
    body: bytes | None
    etag: str = ""


@dataclass
class Model:
    """What a bucket with versions must hold: for each key its versions, newest first."""

    status: str = ""
    keys: dict[str, list[Kept]] = field(default_factory=lambda: {key: [] for key in KEYS})

    def newest(self, key: str) -> Kept:
        """The newest version; a key without any is as if deleted."""
        return (*self.keys[key], Kept("", None))[0]

    def add(self, key: str, version_id: str, body: bytes | None, etag: str = "") -> None:
        """A write, or with a body of None a delete without a version."""
        if self.status != "Enabled":
            self.remove(key, "null")
        if body is not None or self.status:
            self.keys[key].insert(0, Kept(version_id, body, etag))

    def remove(self, key: str, version_id: str) -> None:
        """A delete of one version, if it is there."""
        self.keys[key] = [kept for kept in self.keys[key] if kept.id != version_id]

    def listed(self) -> list[Entry]:
        """What ListObjectVersions shows."""
        return [
            Entry("Version" if kept.body is not None else "DeleteMarker", key, kept.id, latest=not at)
            for key in KEYS
            for at, kept in enumerate(self.keys[key])
        ]


class Session:
    """Signed requests over one connection: thousands of them in a few seconds."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._connection = http.client.HTTPConnection(*raw.address, timeout=10)

    def __call__(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        sent = self._raw.sign(method, target, headers or {}, hashlib.sha256(body).hexdigest())
        self._connection.request(method, target, body or None, {"Content-Length": str(len(body)), **sent})
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass
class Steps:
    """Operations on a real bucket and on its model; each asserts that the answer is what the model says."""

    send: Session
    bucket: str
    model: Model = field(default_factory=Model)
    bodies: Iterator[int] = field(default_factory=itertools.count)

    def path(self, key: str) -> str:
        """Of an object."""
        return f"/{self.bucket}/{PATHS[key]}"

    def body(self) -> bytes:
        """Bytes that no other version has."""
        return f"body {next(self.bodies)}".encode()

    def version_of(self, key: str, number: int) -> Kept | None:
        """One of the versions of a key, if it has any."""
        kept = self.model.keys[key]
        return kept[number % len(kept)] if kept else None

    def enable(self, _key: str, _number: int) -> None:
        self._switch("Enabled")

    def suspend(self, _key: str, _number: int) -> None:
        self._switch("Suspended")

    def _switch(self, status: str) -> None:
        document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
        assert self.send("PUT", f"/{self.bucket}?versioning", document, md5_header(document)).status == 200
        self.model.status = status

    def put(self, key: str, _number: int) -> None:
        body = self.body()
        self._written(key, self.send("PUT", self.path(key), body), body)

    def create(self, key: str, _number: int) -> None:
        """Only if there is no object."""
        body, free = self.body(), self.model.newest(key).body is None
        reply = self.send("PUT", self.path(key), body, {"If-None-Match": "*"})
        if free:
            self._written(key, reply, body)
        else:
            assert refusal(reply) == (412, "PreconditionFailed")

    def replace(self, key: str, number: int) -> None:
        """Only the version that is meant, which need not be the newest."""
        body, newest, meant = self.body(), self.model.newest(key), self.version_of(key, number)
        reply = self.send("PUT", self.path(key), body, {"If-Match": f'"{meant.etag if meant else ""}"'})
        if newest.body is None:
            assert refusal(reply) == (404, "NoSuchKey")
        elif meant is None or newest.etag != meant.etag:
            assert refusal(reply) == (412, "PreconditionFailed")
        else:
            self._written(key, reply, body)

    def copy(self, key: str, number: int) -> None:
        """A version of any key to this one."""
        source = KEYS[number % len(KEYS)]
        meant = self.version_of(source, number)
        if meant is None:
            return
        named = {"x-amz-copy-source": f"{self.path(source)}?versionId={meant.id}"}
        reply = self.send("PUT", self.path(key), headers={**named, "x-amz-metadata-directive": "REPLACE"})
        if meant.body is None:
            assert refusal(reply) == (400, "InvalidRequest")
        else:
            assert reply.headers.get("x-amz-copy-source-version-id", "null") == meant.id
            self._written(key, reply, meant.body)

    def join(self, key: str, _number: int) -> None:
        """A multipart upload."""
        body = self.body()
        upload = self.send("POST", f"{self.path(key)}?uploads").element("UploadId")
        target = f"{self.path(key)}?uploadId={upload}"
        part = self.send("PUT", f"{self.path(key)}?partNumber=1&uploadId={upload}", body)
        document = completion([(1, part.headers["etag"], "")])
        reply, again = self.send("POST", target, document), self.send("POST", target, document)
        assert (again.status, again.headers.get(ID)) == (200, reply.headers.get(ID))
        self._written(key, reply, body, f"{hashlib.md5(hashlib.md5(body).digest()).hexdigest()}-1")

    def delete(self, key: str, _number: int) -> None:
        reply = self.send("DELETE", self.path(key))
        assert reply.status == 204
        assert (reply.headers.get(MARKED) == "true", ID in reply.headers) == (bool(self.model.status),) * 2
        self.model.add(key, reply.headers.get(ID, ""), None)

    def remove(self, key: str, number: int) -> None:
        """One version for good."""
        meant = self.version_of(key, number)
        if meant is None:
            return
        reply = self.send("DELETE", f"{self.path(key)}?versionId={meant.id}")
        shown = (MARKED in reply.headers, reply.headers.get(ID))
        assert (reply.status, *shown) == (204, meant.body is None, meant.id if self.model.status else None)
        self.model.remove(key, meant.id)

    def batch(self, key: str, number: int) -> None:
        """A version of this key, and every other key without a version, in one request."""
        meant = self.version_of(key, number)
        others = [other for other in KEYS if other != key]
        inside = "".join(f"<Object><Key>{other}</Key></Object>" for other in others)
        if meant is not None:
            inside += f"<Object><Key>{key}</Key><VersionId>{meant.id}</VersionId></Object>"
        document = f"<Delete>{inside}</Delete>".encode()
        reply = self.send("POST", f"/{self.bucket}?delete", document, md5_header(document))
        found = {one.findtext("Key"): one for one in tree(reply).findall("Deleted")}
        for other in others:
            self.model.add(other, found[other].findtext("DeleteMarkerVersionId") or "", None)
        if meant is not None:
            assert found[key].findtext("VersionId") == meant.id
            self.model.remove(key, meant.id)

    def _written(self, key: str, reply: Reply, body: bytes, etag: str = "") -> None:
        assert reply.status == 200, reply.body
        assert (ID in reply.headers) == (self.model.status == "Enabled")
        self.model.add(key, reply.headers.get(ID, "null"), body, etag or hashlib.md5(body).hexdigest())

    # What the bucket shows

    def all(self) -> list[tuple[str, Kept]]:
        """Every version with its key."""
        return [(key, kept) for key in KEYS for kept in self.model.keys[key]]

    def agree(self, key: str) -> None:
        """GET, HEAD and both listings are what the model says."""
        newest, found = self.model.newest(key), self.send("GET", self.path(key))
        head = self.send("HEAD", self.path(key))
        shown = newest.id if self.model.status and newest.id else None
        for reply in (found, head):
            assert (reply.status, reply.headers.get(ID)) == (200 if newest.body is not None else 404, shown)
            assert (MARKED in reply.headers) == (newest.body is None and bool(newest.id))
        if newest.body is not None:
            assert found.body == newest.body
            assert found.headers["etag"] == head.headers["etag"] == f'"{newest.etag}"'
        present = [each for each in KEYS if self.model.newest(each).body is not None]
        assert self.send("GET", f"/{self.bucket}?list-type=2").elements("Key") == present
        assert entries(tree(self.send("GET", f"/{self.bucket}?versions"))) == self.model.listed()

    def agree_in_full(self) -> None:
        """Every version by its id, and pages of every size."""
        for key, kept in self.all():
            reply = self.send("GET", f"{self.path(key)}?versionId={kept.id}")
            if kept.body is None:
                assert refusal(reply) == (405, "MethodNotAllowed")
            else:
                assert (reply.status, reply.body) == (200, kept.body)
        expected = self.model.listed()
        for size in range(1, len(expected) + 1):
            found = list(itertools.islice(self._pages(size), len(expected) + 1))
            assert found == [expected[at : at + size] for at in range(0, len(expected), size)]

    def _pages(self, size: int) -> Iterator[list[Entry]]:
        position, more = "", "true"
        while more == "true":
            page = tree(self.send("GET", f"/{self.bucket}?versions&encoding-type=url&max-keys={size}{position}"))
            yield [entry._replace(key=_decoded(entry.key)) for entry in entries(page)]
            more = page.findtext("IsTruncated") or ""
            key, version_id = page.findtext("NextKeyMarker"), page.findtext("NextVersionIdMarker")
            position = f"&key-marker={_quoted(key)}&version-id-marker={version_id}"

    def empty(self, order: random.Random) -> None:
        """Delete every version in some order: the newest that is left is what is read."""
        left = self.all()
        order.shuffle(left)
        for key, kept in left:
            assert self.send("DELETE", f"/{self.bucket}").status == 409
            assert self.send("DELETE", f"{self.path(key)}?versionId={kept.id}").status == 204
            self.model.remove(key, kept.id)
            self.agree(key)
        assert self.send("DELETE", f"/{self.bucket}").status == 204


def _decoded(key: str) -> str:
    return key.replace("%C3%A9", "é")


def _quoted(key: str | None) -> str:
    return (key or "").replace("/", "%2F")
