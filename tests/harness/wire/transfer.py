"""256 MiB up and down through a wiretap with TLS on both sides; prints the KiB of memory it took beyond the start.

Run as a program of its own, so that nothing else counts. The endpoint is yet another process.
"""

from __future__ import annotations

import http.client
import http.server
import resource
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap

SIZE = 256 << 20
PIECE = bytes(1 << 16)


class Sink(http.server.BaseHTTPRequestHandler):
    """Reads what is sent, and sends as much as that."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, len(PIECE))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for _ in range(SIZE // len(PIECE)):
            self.wfile.write(PIECE)

    def log_message(self, *_: object) -> None:
        pass


def serve(certificate: str) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def measure(port: int, bundle: str) -> int:
    endpoint = Endpoint(f"https://127.0.0.1:{port}", Credentials("AK", "SK"), ca_bundle=bundle, timeout=20)
    tap = Wiretap(endpoint)
    context = ssl.create_default_context(cafile=tap.ca_bundle)

    def ask(method: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection("127.0.0.1", urlsplit(tap.url).port, context=context, timeout=60)
        connection.set_tunnel("127.0.0.1", port)
        connection.request(method, "/b/k", body=body, headers=headers)  # type: ignore[arg-type]
        return connection.getresponse()

    ask("PUT", b"x" * 100).read()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ask("PUT", (PIECE for _ in range(SIZE // len(PIECE))), **{"Content-Length": str(SIZE)}).read()
    answer, size = ask("GET"), 0
    while piece := answer.read(len(PIECE)):
        size += len(piece)
    passed = [(r.exchange.request_body.size, r.exchange.response_body.size) for r in tap.take()]
    assert size == SIZE
    assert passed == [(100, 0), (SIZE, 0), (0, SIZE)], passed
    tap.close()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        authority, bundle, leaf = trustme.CA(), Path(folder, "ca.pem"), Path(folder, "leaf.pem")
        authority.cert_pem.write_to_path(bundle)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(leaf)
        with subprocess.Popen([sys.executable, "-P", __file__, str(leaf)], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                sys.stdout.write(f"{measure(int(server.stdout.readline()), str(bundle))}\n")
            finally:
                server.kill()


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
