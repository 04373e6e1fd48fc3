"""The `docker` runner: a program in a container of its official image, through the engine's API.

One container lives as long as its client, and each call is an `exec` in it: half the cost of a container for each.
Where isolation is asked for, every call has a container of its own. Containers use the host's network, so that they
reach what listens on loopback; where there is no such network (Docker Desktop), they reach the host by the name it
has there. The private place is mounted under its own path, and programs run as the caller's user, so that files
travel both ways.

No container outlives its run: each waits for the end of an input that this process holds open, and is removed by the
engine when it ends. So it goes when this process does, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import select
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
from docker.utils import parse_repository_tag

from harness.clients.runner import (
    MAX_STDERR,
    MAX_STDOUT,
    VERSION_SECONDS,
    Private,
    Result,
    scrubbed,
    told_version,
)
from harness.signals import ClientFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LABEL = "s3conform"
"""Label of every container; its value is the process that it belongs to."""
PULL_SECONDS = 300.0
SWEPT_SECONDS = 60.0
_API_SECONDS = 60.0
_HOST = "host.docker.internal"
_LOOPBACK = ("127.0.0.1", "localhost")
_TICK = 0.1
_HEADER = struct.Struct(">BxxxL")
"""Stream and length before each piece of output. Source: Docker Engine API, "Attach to a container"."""
_STDERR = 2
_ENGINE_CODES = (125, 126, 127)
"""Exit codes that are the engine's own: it failed, cannot run the program, or does not find it."""
_BY_SIGNAL = range(129, 193)
_PING_SECONDS = 5.0
_GONE = (docker.errors.DockerException, OSError)


_own = threading.local()


_SOCKET = "unix:///var/run/docker.sock"
"""Where an engine is unless DOCKER_HOST says otherwise."""


def engine() -> Any:
    """The engine's API for this thread, or None where none answers."""
    if not hasattr(_own, "api"):
        if not _listens():
            return None
        try:
            api = docker.from_env(timeout=_PING_SECONDS).api
            api.ping()
            api.timeout = _API_SECONDS
        except _GONE:
            return None
        _own.api = api
    return _own.api


def _listens() -> bool:
    """Whether somebody is at the engine's socket: the library leaves one open for each time that nobody is."""
    scheme, _, path = os.environ.get("DOCKER_HOST", _SOCKET).partition("://")
    if scheme != "unix":
        return True
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.settimeout(_PING_SECONDS)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def _needed() -> Any:
    """The engine's API.

    Raises:
        DockerException: none answers.
    """
    api = engine()
    if api is None:
        raise docker.errors.DockerException("no container engine answers")
    return api


def has(image: str) -> bool:
    """Whether the engine has an image."""
    try:
        _needed().inspect_image(image)
    except _GONE:
        return False
    return True


def pull(image: str, seconds: float = PULL_SECONDS) -> str:
    """Fetch an image from its registry within a time; "" or the reason why it did not come.

    The engine may be silent for as long as it likes: the thread that still listens to it then ends with the process.
    """
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: came.put(_pull(image)), daemon=True).start()
    try:
        return came.get(timeout=seconds)
    except queue.Empty:
        return f"not pulled within {seconds:g} s"


def _pull(image: str) -> str:
    name, tag = parse_repository_tag(image)
    try:
        for line in _needed().pull(name, tag=tag or "latest", stream=True, decode=True):
            if "error" in line:
                return str(line["error"])[:200]
    except Exception as error:  # the stream may break in ways of the library below the engine's own
        return _told(error)
    return "" if has(image) else "the engine does not have it after pulling"


def version(image: str, idle: Sequence[str], arg: str, pattern: str) -> tuple[str, str]:
    """What the program of an image says its version is, or "" and the reason why it does not tell."""
    sweep()
    runner = DockerRunner(image, idle)
    try:
        result = runner.run([arg], timeout=VERSION_SECONDS)
        near = runner.shares_files()
    except ClientFault as fault:
        return "", str(fault)
    finally:
        runner.close()
    told = told_version(result, pattern)
    if told and not near:
        return "", "the container engine does not share the files of this machine"
    return told, "" if told else f"{image} does not tell its version"


def sweep(seconds: float = SWEPT_SECONDS) -> None:
    """Remove containers of processes that ended before they could start them; the engine keeps those for ever.

    Only such as were made `seconds` ago or earlier: on an engine that several machines use, a process that is not
    here may be about to start its own.
    """
    before = time.time() - seconds
    with contextlib.suppress(*_GONE):
        for each in _needed().containers(all=True, filters={"label": LABEL, "status": "created"}):
            owner, made = each.get("Labels", {}).get(LABEL, ""), each.get("Created", 0)
            if owner.isdigit() and made <= before and not _lives(int(owner)):
                _needed().remove_container(each["Id"], force=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


class DockerRunner:
    """Runs the program of one image in a container until closed.

    Attributes:
        folder: its working folder, under the same path inside and outside.
        home: its home, likewise.

    Args:
        image: name of the image; the program is its entry point.
        idle: how a container of it waits for the end of its input: a command, or after "" arguments of the program.
        shared: further files that the program is to read, under their own path.
        isolated: a container for each call.
    """

    def __init__(self, image: str, idle: Sequence[str], shared: Sequence[str] = (), *, isolated: bool = False) -> None:
        self._private = Private()
        self.folder, self.home = self._private.folder, self._private.home
        self._image = image
        self._idle = idle
        self._isolated = isolated
        self._shared = [str(Path(path).parent) for path in shared]
        self._environment = scrubbed(self.home)
        self._container: _Container | None = None

    def reach(self, url: str) -> str:
        """The same address where containers share the host's network, else the host's name for them."""
        if sys.platform == "linux":
            return url
        for name in _LOOPBACK:
            url = url.replace(f"//{name}:", f"//{_HOST}:")
        return url

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Result:
        """As `Runner.run`; a container whose program had to be killed is removed, and the next call has a new one.

        Raises:
            ClientFault: the engine failed, or cannot start the program.
        """

        def check() -> str:
            return (stop() if stop else "") or self._private.full()

        deadline = time.monotonic() + timeout
        ended = False
        try:
            container = self._container = self._container or _Container(self)
            result = container.run(args, stdin, self._environment | dict(environment or {}), deadline, check)
            ended = not result.stopped
        except _GONE as error:
            raise ClientFault(f"the container engine failed: {_told(error)}") from None
        finally:
            if self._isolated or not ended:
                self._drop()
        if result.exit_code in _ENGINE_CODES and not result.stopped:
            said = result.stderr.strip() or result.stdout.decode("utf-8", "replace").strip()
            raise ClientFault(f"the container cannot run {self._image} (exit code {result.exit_code}): {said[:300]}")
        return result

    def close(self) -> None:
        """Remove the container and the private place."""
        self._drop()
        self._private.close()

    def _drop(self) -> None:
        if self._container is not None:
            self._container.remove()
            self._container = None

    def shares_files(self) -> bool:
        """Whether the running container sees the private folder: an engine on another machine does not."""
        mark = self.home / "here"
        mark.touch()
        try:
            _needed().get_archive(self._container.name if self._container else "", str(mark))
        except docker.errors.NotFound:
            return False
        except _GONE as error:
            raise ClientFault(f"the container engine failed: {_told(error)}") from None
        return True

    def create(self, name: str) -> list[str]:
        """A container that waits for the end of its input, not yet started; the program's command.

        Raises:
            DockerException: the engine refuses.
        """
        api = _needed()
        program = api.inspect_image(self._image)["Config"].get("Entrypoint") or []
        command = [*program, *self._idle[1:]] if self._idle[0] == "" else list(self._idle)
        mounts = [f"{self._private.root}:{self._private.root}", *(f"{path}:{path}:ro" for path in self._shared)]
        linux = sys.platform == "linux"
        api.create_container(
            self._image,
            entrypoint=command,
            command=[],
            name=name,
            stdin_open=True,
            user=f"{os.getuid()}:{os.getgid()}",
            environment=self._environment,
            working_dir=str(self.folder),
            labels={LABEL: str(os.getpid())},
            volumes=[mount.split(":")[0] for mount in mounts],
            host_config=api.create_host_config(
                binds=mounts,
                network_mode="host" if linux else "bridge",
                extra_hosts=None if linux else {_HOST: "host-gateway"},
                auto_remove=True,
                init=True,
            ),
        )
        return list(program)


class _Container:
    """A started container; it ends with the input that this object holds."""

    def __init__(self, runner: DockerRunner) -> None:
        self._api = _needed()
        # Known before the engine is asked: whatever happens then, it can be removed.
        self.name = f"{LABEL}-{os.getpid()}-{secrets.token_hex(6)}"
        self._folder = str(runner.folder)
        self._input: Any = None
        try:
            self._program = runner.create(self.name)
            # Attached before the start, and never written to: its end is the container's.
            self._input = self._api.attach_socket(self.name, params={"stdin": 1, "stream": 1})
            self._api.start(self.name)
        except BaseException:
            self.remove()
            raise

    def run(
        self, args: Sequence[str], stdin: bytes, environment: Mapping[str, str], deadline: float, check: Any
    ) -> Result:
        """One `exec`; the caller removes the container when it was stopped."""
        started = time.monotonic()
        made = self._api.exec_create(
            self.name,
            [*self._program, *args],
            stdin=bool(stdin),
            environment=dict(environment),
            workdir=self._folder,
            user=f"{os.getuid()}:{os.getgid()}",
        )
        talk = _Talk(self._api.exec_start(made["Id"], socket=True), stdin)
        try:
            stopped, timed_out = talk.until(deadline, check)
        finally:
            talk.close()
        if timed_out:
            stopped = f"did not end within {time.monotonic() - started:.0f} s"
        code = -9 if stopped else self._api.exec_inspect(made["Id"])["ExitCode"]
        code = 128 - code if code in _BY_SIGNAL else code
        return Result(code, bytes(talk.stdout), talk.stderr.decode("utf-8", "replace"), timed_out, stopped)

    def remove(self) -> None:
        """Kill and remove it by name; the engine removes by itself what it sees ending."""
        with contextlib.suppress(*_GONE):
            self._api.remove_container(self.name, force=True)
        if self._input is not None:
            _close(self._input)
            self._input = None


class _Talk:
    """Standard streams of an `exec`, in pieces with a header each, read and written without waiting on any one."""

    def __init__(self, stream: Any, stdin: bytes) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self._stream = stream
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._socket.setblocking(False)
        self._stdin = memoryview(stdin)
        self._buffer = bytearray()
        self._ended = False

    def until(self, deadline: float, check: Callable[[], str]) -> tuple[str, bool]:
        """Talk until the program has ended: why to stop it before that ("" for not), and whether time is over."""
        checked = time.monotonic()
        while not self._ended:
            now = time.monotonic()
            if now >= deadline:
                return "timed out", True
            writing = [self._socket] if self._stdin else []
            readable, writable, _ = select.select([self._socket], writing, [], min(deadline - now, _TICK))
            if writable:
                self._write()
            if readable:
                self._read()
            reason = self._flood()
            if now >= checked + _TICK:
                reason, checked = reason or check(), now
            if reason:
                return reason, False
        return "", False

    def _write(self) -> None:
        try:
            self._stdin = self._stdin[self._socket.send(self._stdin[: 1 << 16]) :]
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self._stdin = self._stdin[:0]
        if not self._stdin:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def _read(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self._ended = not data
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._buffer)
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            (self.stderr if stream == _STDERR else self.stdout).extend(self._buffer[_HEADER.size : end])
            del self._buffer[:end]

    def _flood(self) -> str:
        if len(self.stdout) + len(self._buffer) > MAX_STDOUT:
            return f"wrote more than {MAX_STDOUT} bytes to standard output"
        if len(self.stderr) > MAX_STDERR:
            return f"wrote more than {MAX_STDERR} bytes to standard error"
        return ""

    def close(self) -> None:
        """Drop the connection."""
        _close(self._stream)


def _close(stream: Any) -> None:
    """Close a stream of the engine's; its socket stays open unless that is closed too."""
    for each in (getattr(stream, "_sock", stream), stream):
        with contextlib.suppress(OSError):
            each.close()


def _told(error: Exception) -> str:
    """What the engine says, in one short line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:300]
