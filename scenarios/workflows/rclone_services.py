"""rclone as a server over the endpoint: WebDAV, restic's repository, a file system, and remote control."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import ok
from harness.scenario import EXTENDED, scenario
from harness.scene import PART, Scene
from harness.signals import ClientFault, Inexpressible, Mismatch
from scenarios.workflows._rclone import OWN_BUCKET, remote
from scenarios.workflows._steps import files, holds, sent

USER = "s3conform"
START = 10.0
"""Seconds that a server has until it listens."""
WAIT = 60.0
"""Seconds that one answer of it may take: it may itself wait for the endpoint."""

DIGITS = b"".join(b"%04d," % number for number in range(2000))
"""10,000 bytes, of which each five say where they stand."""


class Reply(NamedTuple):
    """An answer of a program that serves; status 0 where it gave none."""

    status: int
    body: bytes


class Service:
    """A program that serves on a port of this machine, to those alone who know its password."""

    def __init__(self) -> None:
        self.password = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One request."""
        connection = http.client.HTTPConnection(self.address, timeout=WAIT)
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {login}", **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            return Reply(0, str(error).encode())
        finally:
            connection.close()

    def control(self, command: str, /, **params: Any) -> Reply:
        """One command of rclone's remote control."""
        return self.ask("POST", f"/{command}", json.dumps(params).encode(), {"Content-Type": "application/json"})

    def listens(self) -> bool:
        """Whether it accepts connections, within a bound."""
        host, _, port = self.address.rpartition(":")
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            try:
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return True
        return False


@contextmanager
def serving(s3: Scene, *arguments: str, option: str = "") -> Iterator[tuple[Service, list[Observed]]]:
    """A command of rclone that serves while the block runs; the list holds what it came to afterwards.

    `option` stands before the names of its options for address, user and password.

    Raises:
        ClientFault: it never listened.
    """
    service = Service()
    names = f"RCLONE_{option.upper()}".replace("-", "_")
    environment = {f"{names}USER": USER, f"{names}PASS": service.password}
    with s3.serving(*arguments, f"--{option}addr", service.address, environment=environment) as ended:
        listened = service.listens()
        if listened:
            yield service, ended
    if not listened:
        raise ClientFault(f"rclone {arguments[0]} did not listen: {ended[0].stderr[-300:]}")


def answered(
    s3: Scene, what: str, reply: Reply, status: int, body: bytes | None = None, rests_on: str = "", **params: Any
) -> None:
    """An answer of a program that serves has this status, and this body where one is given.

    Where it has not, and rests on one operation, the witness tries that with `params`: its refusal is the finding.
    """
    if reply.status != status and rests_on:
        s3.expect(s3.look(rests_on, **params), ok())
    found = f"{what} was answered {reply.status} {reply.body[:200]!r}"
    text = f"{what} is answered {status}" + ("" if body is None else f" with {len(body)} bytes {body[:40]!r}")
    s3.check(reply.status == status and body in (None, reply.body), text, found)


def unmounted(rcd: Service, point: str) -> Reply:
    """The end of a mount, asked for again while the system still counts a file as open."""
    deadline = time.monotonic() + START
    while (reply := rcd.control("mount/unmount", mountPoint=point)).status == 500 and time.monotonic() < deadline:
        time.sleep(0.1)
    return reply


def entries(listed: Reply) -> Any:
    """The packs that a repository lists; its words where they are no JSON."""
    try:
        return json.loads(listed.body)
    except ValueError:
        return listed.body[:200]


@scenario(
    "RCLONE-054",
    EXTENDED,
    "PutObject",
    "GetObject",
    "DeleteObject",
    "CopyObject",
    "ListObjects",
    source="rclone documentation, serve webdav; RFC 4918; measured with rclone 1.75.2",
    clients=("rclone",),
)
def webdav(s3: Scene) -> None:
    """`rclone serve webdav` lists, reads in part, writes, moves and deletes what the endpoint stores.

    S3 promises: ranges, copies and listings right after a change; a file system can be built of them.

    Breaks: desktops and NAS boxes that see a bucket as a network drive.

    Fix: serve ranges with 206, copy within the bucket, and list what was changed at once.
    """
    s3.expect(s3.program("copy", str(files(s3, {"there.txt": DIGITS})), remote(s3), OWN_BUCKET), ok())
    arguments = ("serve", "webdav", remote(s3), "--vfs-cache-mode", "off", OWN_BUCKET)
    with serving(s3, *arguments) as (dav, _):
        part = {"Range": "bytes=5000-5009"}
        answered(s3, "GET of a range", dav.ask("GET", "/there.txt", headers=part), 206, DIGITS[5000:5010])
        answered(s3, "PUT", dav.ask("PUT", "/new.txt", b"written"), 201)
        answered(s3, "GET", dav.ask("GET", "/new.txt"), 200, b"written")
        there = {"Destination": f"http://{dav.address}/moved.txt"}
        copy = {"Key": s3.key("copied.txt"), "CopySource": f"{s3.bucket}/{s3.key('new.txt')}"}
        answered(s3, "MOVE", dav.ask("MOVE", "/new.txt", headers=there), 201, None, "CopyObject", **copy)
        answered(s3, "DELETE", dav.ask("DELETE", "/there.txt"), 204)
        listed = dav.ask("PROPFIND", "/", headers={"Depth": "1"})
        answered(s3, "PROPFIND", listed, 207)
        names = b"/moved.txt<" in listed.body and b"/new.txt<" not in listed.body and b"there" not in listed.body
        s3.check(names, "moved.txt alone is listed", f"the listing was {listed.body[:600]!r}")
    holds(s3, {"moved.txt": b"written"})


@scenario(
    "RCLONE-117",
    EXTENDED,
    "PutObject",
    "GetObject",
    "DeleteObject",
    "ListObjects",
    source="rclone documentation, serve restic; restic documentation, REST backend; measured with rclone 1.75.2",
    clients=("rclone",),
)
def restic(s3: Scene) -> None:
    """`rclone serve restic` keeps a repository: packs are stored, listed with their size, read in part and deleted.

    S3 promises: what was stored is listed and read at once, in whole and in part.

    Breaks: backups by restic through rclone; it reads packs by ranges alone.

    Fix: serve ranges exactly, and list sizes truly.
    """
    s3.expect(s3.program("copy", str(files(s3, {"config": b"a config"})), remote(s3), OWN_BUCKET), ok())
    name, lock = hashlib.sha256(DIGITS).hexdigest(), hashlib.sha256(b"lock").hexdigest()
    with serving(s3, "serve", "restic", remote(s3), OWN_BUCKET) as (repository, _):
        answered(s3, "GET /config", repository.ask("GET", "/config"), 200, b"a config")
        answered(s3, "POST of a pack", repository.ask("POST", f"/data/{name}", DIGITS), 200)
        answered(s3, "POST of a lock", repository.ask("POST", f"/locks/{lock}", b"lock"), 200)
        listed = repository.ask("GET", "/data/", headers={"Accept": "application/vnd.x.restic.rest.v2"})
        answered(s3, "GET /data/", listed, 200)
        shown = entries(listed)
        s3.check(shown == [{"name": name, "size": len(DIGITS)}], "one pack of its size", f"it was {shown!r}")
        part = {"Range": "bytes=100-199"}
        answered(s3, "GET of a range", repository.ask("GET", f"/data/{name}", headers=part), 206, DIGITS[100:200])
        deleted = repository.ask("DELETE", f"/locks/{lock}")
        answered(s3, "DELETE of a lock", deleted, 200, None, "DeleteObject", Key=s3.key(f"locks/{lock}"))
    holds(s3, {"config": b"a config", f"data/{name[:2]}/{name}": DIGITS})


@scenario(
    "RCLONE-055",
    EXTENDED,
    "GetObject",
    "PutObject",
    "ListObjects",
    source="rclone documentation, mount and remote control; measured with rclone 1.75.2",
    clients=("rclone",),
)
def mount(s3: Scene) -> None:
    """`rclone mount` shows what is stored as files, which can be listed, read from the middle, and written.

    S3 promises: listings, ranges and uploads, from which rclone makes a file system. It is started by remote control
    (`rclone rcd`, mount/mount), so that it can be ended the same way.

    Breaks: everything that reads a bucket through a mount; it asks for one range after the other.

    Fix: serve ranges exactly, also those that begin in the middle and have no end.
    """
    s3.expect(s3.program("copy", str(files(s3, {"folder/there.txt": DIGITS})), remote(s3), OWN_BUCKET), ok())
    point = s3.folder
    with serving(s3, "rcd", OWN_BUCKET, option="rc-") as (rcd, _):
        made = rcd.control("mount/mount", fs=remote(s3), mountPoint=str(point), vfsOpt={"CacheMode": "off"})
        if made.status != 200 or not os.path.ismount(point):
            reason = "fusermount" if b"fusermount" in made.body else f"mount/mount was answered {made.status}"
            raise Inexpressible(f"rclone cannot mount, or not where it can be seen: it needs FUSE ({reason})")
        try:
            listed = sorted(path.relative_to(point).as_posix() for path in point.rglob("*"))
            with (point / "folder/there.txt").open("rb") as file:
                file.seek(7000)
                middle = file.read(10)
            (point / "written.txt").write_bytes(b"written through the mount")
        except OSError as error:
            raise Mismatch("files that can be read and written through the mount", str(error)) from None
        finally:
            ended = unmounted(rcd, str(point))
        answered(s3, "mount/unmount", ended, 200)
    s3.check(listed == ["folder", "folder/there.txt"], "a folder with a file", f"there are {listed}")
    s3.check(middle == DIGITS[7000:7010], f"{DIGITS[7000:7010]!r} at 7000", f"it was {middle!r}")
    holds(s3, {"folder/there.txt": DIGITS, "written.txt": b"written through the mount"})


@scenario(
    "RCLONE-060",
    EXTENDED,
    "PutObject",
    "UploadPart",
    source="rclone documentation, S3 backend command set, and remote control; measured with rclone 1.75.2",
    clients=("rclone",),
)
def set_while_running(s3: Scene) -> None:
    """`rclone rc backend/command command=set` changes a running rclone, which stores the next file otherwise.

    S3 promises: an object is the same whether it comes in one upload or in parts; here the second file goes in parts
    since `set` lowered upload_cutoff.

    Breaks: long-running rclones whose credentials or settings are renewed without a restart.

    Fix: accept both kinds of upload for the same size of object.
    """
    content = DIGITS * (PART // len(DIGITS) + 1)
    folder = files(s3, {"large.bin": content})
    s3.expect(s3.program("copy", str(files(s3, {"first.txt": DIGITS})), remote(s3), OWN_BUCKET), ok())
    with serving(s3, "rcd", OWN_BUCKET, option="rc-") as (rcd, ended):
        changed = {"upload_cutoff": "5M", "chunk_size": "5M"}
        answered(s3, "set", rcd.control("backend/command", command="set", fs=remote(s3), opt=changed), 200)
        upload = {"srcFs": str(folder), "srcRemote": "large.bin", "dstFs": remote(s3), "dstRemote": "large.bin"}
        answered(s3, "operations/copyfile", rcd.control("operations/copyfile", **upload), 200)
    if ended[0].exchanges:
        parts = len(sent(s3, ended[0], "UploadPart"))
        s3.check(parts == 2, "two parts, as the new settings make them", f"{parts} times UploadPart", ended[0])
    holds(s3, {"first.txt": DIGITS, "large.bin": content})
