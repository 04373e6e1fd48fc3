"""How requests find a bucket and prove who sent them: path or host name, presigned URLs, HTTP/2."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from harness.probe.context import Context, Finding, evidence, experiment, need, read, same
from harness.record import NOTHING, UNKNOWN
from harness.wire import sigv2
from harness.wire.sigv4 import Signer, encode

_RESOLVING = 2.0
_EXPIRES = 600


@experiment("addressing")
def addressing(ctx: Context) -> Iterator[Finding]:
    """The same object with its bucket in the path and in the host name; no name needs to resolve for that."""
    body = b"addressing"
    need(ctx.put("a", body), "an upload")
    by_path = ctx.get("a", addressing="path")
    path = same(by_path, body)
    if _is_address(ctx.origin.host):
        text = "A bucket cannot stand before an IP address; in the path it is found."
        if not path:
            text = f"A download with the bucket in the path is answered {read(by_path)}."
        works = ("path", "auto") if path else ()
        yield Finding("addressing", "path" if path else NOTHING, text, works, evidence(by_path))
        return
    by_host = ctx.get("a", addressing="virtual")
    virtual = same(by_host, body)
    name = f"{ctx.bucket}.{ctx.origin.host}"
    resolves = virtual and _resolves(name, ctx.origin.port)
    ways = (("path",) if path else ()) + (("virtual", "auto") if resolves else ())
    text = f"In the path a bucket is {'found' if path else f'not found ({read(by_path)})'}, "
    text += f"in the host name it is {'found' if virtual else f'not found ({read(by_host)})'}"
    text += f", but bucket.{ctx.origin.host} does not resolve on this machine." if virtual and not resolves else "."
    yield Finding("addressing", ways[0] if ways else NOTHING, text, ways, evidence(by_path, by_host))


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def _resolves(name: str, port: int) -> bool:
    """Whether a name has an address, as far as that is known within seconds."""
    found: list[bool] = []

    def look() -> None:
        with suppress(OSError, UnicodeError):
            found.append(bool(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(_RESOLVING)
    return found == [True]


@experiment("signature_version")
def presigned(ctx: Context) -> Iterator[Finding]:
    """One object by presigned URLs of both signature versions, asked for without credentials."""
    body = b"presigned"
    need(ctx.put("p", body), "an upload")
    new, old = ctx.fetch(_presigned_v4(ctx, "p")), ctx.fetch(_presigned_v2(ctx, "p"))
    works = (("s3v4",) if same(new, body) else ()) + (("s3",) if same(old, body) else ())
    if len(works) == 2:
        text = "Presigned URLs of both signature versions work."
    elif works:
        text = f"Presigned URLs of version {'4' if works == ('s3v4',) else '2'} work, "
        text += f"those of the other version are answered {read(old if works == ('s3v4',) else new)}."
    else:
        text = f"Presigned URLs do not work: version 4 is answered {read(new)}, version 2 {read(old)}."
    yield Finding("signature_version", works[0] if works else NOTHING, text, works, evidence(new, old))


def _presigned_v4(ctx: Context, name: str) -> str:
    credentials = ctx.endpoint.credentials
    host, target = ctx.address(_resource(ctx, name))
    signer = Signer(credentials, ctx.endpoint.region, dt.datetime.now(dt.UTC))
    target = signer.presign("GET", target, [("Host", host)], str(_EXPIRES), credentials.session_token)
    return f"{ctx.origin.scheme}://{host}{target}"


def _presigned_v2(ctx: Context, name: str) -> str:
    """Signed with the bucket in the path, wherever it is sent."""
    signed = sigv2.presign("GET", _resource(ctx, name), [], int(time.time()) + _EXPIRES, ctx.endpoint.credentials)
    host, path = ctx.address(_resource(ctx, name))
    return f"{ctx.origin.scheme}://{host}{path}?{signed.partition('?')[2]}"


def _resource(ctx: Context, name: str) -> str:
    return f"/{ctx.bucket}/{encode(ctx.prefix + name, safe='/')}"


@experiment("disable_http2", bucket=False)
def http2(ctx: Context) -> Iterator[Finding]:
    """Which protocol TLS agrees on; HTTP/2 itself is not spoken here."""
    context = ctx.endpoint.tls()
    if context is None:
        text = "Plain http: HTTP/2 is spoken over TLS only."
        yield Finding("disable_http2", "false", text, ("false", "true"))
        return
    context.set_alpn_protocols(["h2", "http/1.1"])
    origin = ctx.origin
    try:
        with (
            socket.create_connection((origin.host, origin.port), ctx.endpoint.timeout) as plain,
            context.wrap_socket(plain, server_hostname=origin.host) as secure,
        ):
            chosen = secure.selected_alpn_protocol()
    except (OSError, ssl.SSLError, ValueError) as error:
        yield Finding("disable_http2", UNKNOWN, f"The TLS handshake that offers HTTP/2 fails: {type(error).__name__}.")
        return
    if chosen == "h2":
        text = "The endpoint offers HTTP/2, which this program does not speak and so did not try."
        yield Finding("disable_http2", UNKNOWN, text)
    else:
        yield Finding("disable_http2", "false", "The endpoint does not offer HTTP/2.", ("false", "true"))
