"""Real processes and servers for the tests: the program itself, the reference server, a relay, a stub.

Everything listens on a free port of 127.0.0.1, has a bound on every wait, and is gone after its block.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parent.parent
S3CONFORM = (sys.executable, "-P", "-c", "from harness.cli import main; main()")
SECONDS = 45
"""How long any program of a test may take: far more than it needs, far less than a stuck test run."""
BUCKETS = b"<ListAllMyBucketsResult/>"
"""What a stub answers to `GET /` to be taken for S3."""


def environment(**more: str) -> dict[str, str]:
    """The program's environment: the checkout to import from, and nothing of the caller's but PATH."""
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


class Ended(NamedTuple):
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err


@contextmanager
def started(*arguments: object, cwd: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """`s3conform ARGUMENTS` in a process group of its own, which is gone after the block."""
    process = subprocess.Popen(
        [*S3CONFORM, *map(str, arguments)],
        cwd=cwd,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ended(process: subprocess.Popen[str], seconds: float = SECONDS) -> Ended:
    """Wait for a started program; whatever it was given, it shows nobody a traceback."""
    out, err = process.communicate(timeout=seconds)
    assert "Traceback" not in out + err, out + err
    assert "INTERNALERROR" not in out + err, out + err
    return Ended(process.returncode, out, err)


def s3conform(*arguments: object, cwd: Path, env: dict[str, str] | None = None, seconds: float = SECONDS) -> Ended:
    """Run `s3conform ARGUMENTS` to its end."""
    with started(*arguments, cwd=cwd, env=env) as process:
        return ended(process, seconds)


class Server(NamedTuple):
    """A reference server that answers."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str
    ca_bundle: str = ""
    http_endpoint: str = ""
    legacy_object: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The options that give its credentials."""
        return ("--access-key", self.access_key, "--secret-key", self.secret_key)

    @property
    def options(self) -> tuple[str, ...]:
        """The options that make it the endpoint."""
        return ("--endpoint", self.endpoint, *self.keys)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.endpoint.partition("://")[2].partition(":")
        return host, int(port)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A boto3 client that sees what is there, independent of the harness."""
        import boto3.session
        from botocore.config import Config

        session = boto3.session.Session(self.access_key, self.secret_key, region_name=self.region)
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={})
        with closing(session.client("s3", endpoint_url=self.endpoint, config=config)) as client:
            yield client

    def buckets(self) -> list[str]:
        """The names of all buckets there."""
        with self.client() as client:
            return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


@contextmanager
def reference_server(*arguments: str) -> Iterator[Server]:
    """A reference server of one's own."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "reference_server", "--json", "--until-eof", *arguments],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


OF_CELLS = r"-(gw|w)\d+-"
"""What marks requests of cells: the worker's name in that of its bucket. Those of the probe come before."""


class Relay:
    """Passes bytes between a client and a server on, notes the requests, and can hold or drop them.

    Args:
        server: host and port of the real server.
        hold_after: requests that pass before all others wait for `release`.
        die_after: requests that pass before everything is closed for good.
        counting: the requests that count for both, by a pattern of `METHOD target`; the others pass until then.
        port: to listen on; 0 lets the system choose.
    """

    def __init__(
        self,
        server: tuple[str, int],
        hold_after: int | None = None,
        die_after: int | None = None,
        counting: str = "",
        port: int = 0,
    ) -> None:
        self._counting = re.compile(counting)
        self._count = 0
        self.requests: list[str] = []
        self.held = threading.Event()
        self.waiting = 0  # requests that were held, each of another connection
        self._server, self._hold_after, self._die_after = server, hold_after, die_after
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._listen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self.die()
        for thread in self._threads:
            thread.join(5)

    def release(self) -> None:
        """Let all requests pass from now on."""
        self._released.set()

    def die(self) -> None:
        """Close everything; connections are refused from now on."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _start(self, function: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._server, 5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._sockets |= {client, server}
                self._start(self._serve, client, server)

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._pump, args=(server, client, None), daemon=True)
        back.start()
        self._pump(client, server, self._seen)
        back.join()
        with self._lock:
            self._sockets -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket, seen: Callable[[bytes], None] | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if seen is not None:
                    seen(data)
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _seen(self, data: bytes) -> None:
        line = re.match(rb"([A-Z]+ \S+) HTTP/1\.1\r\n", data)
        if line is None:
            return
        with self._lock:
            self.requests.append(line[1].decode())
            self._count += self._counting.search(self.requests[-1]) is not None
            count = self._count
        if self._die_after is not None and count > self._die_after:
            self.die()
        if self._hold_after is not None and count > self._hold_after and not self._released.is_set():
            with self._lock:
                self.waiting += 1
            self.held.set()
            self._released.wait(SECONDS)


class Handler(http.server.BaseHTTPRequestHandler):
    """A request for a stub, with its body read."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answer: Callable[[Handler], None]
    body = b""

    def _any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with suppress(ConnectionError):
            type(self).answer(self)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815 - the names that http.server looks for

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer; underscores of header names become hyphens."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is written."""


class _StubServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is no news."""


@contextmanager
def stub(answer: Callable[[Handler], None]) -> Iterator[str]:
    """The URL of an HTTP server that answers every request by `answer`."""
    handler = type("StubHandler", (Handler,), {"answer": staticmethod(answer)})
    with _StubServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


@contextmanager
def listener(serve: Callable[[socket.socket], None] | None = None) -> Iterator[str]:
    """The URL of a TCP port; each connection goes to `serve`, or is accepted by the system and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        threads: list[threading.Thread] = []

        def handle(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                assert serve is not None
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    thread = threading.Thread(target=handle, args=(server.accept()[0],), daemon=True)
                    threads.append(thread)
                    thread.start()

        if serve is not None:
            threads.append(threading.Thread(target=accept, daemon=True))
            threads[0].start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)


def until(condition: Callable[[], Any], seconds: float = 15, what: str = "") -> Any:
    """The first true value of `condition`, asked again and again for that long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {what or condition}")


def descendants(pid: int) -> set[int]:
    """The processes below `pid`, by /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; zombies do not."""

    def runs(pid: int) -> bool:
        with suppress(OSError):
            return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    return {pid for pid in pids if runs(pid)}


def lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run folder's run file."""
    return [json.loads(line) for line in (folder / "run.jsonl").read_text(encoding="utf-8").splitlines()]


def cells(folder: Path) -> dict[str, str]:
    """The verdicts of a run folder by `SCENARIO[client]`."""
    return {
        f"{line['scenario']}[{line['client']}]": line["verdict"] for line in lines(folder) if line["kind"] == "cell"
    }
