"""TLS for the server: a throw-away certificate authority, and sockets that behave as plain ones do.

Imported only when TLS is asked for: the certificates need packages that nothing else here needs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUNDLE = "ca.pem"
_LOCAL = ("localhost", "*.localhost", "*.s3-website.localhost", "127.0.0.1", "::1")
_WILDCARD_ADDRESSES = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound
#: Names that clients asked for and that have a certificate of their own.
_KEPT = 256


class CertificateError(Exception):
    """A name that no certificate can be made for; the message says which and why."""


class Authority:
    """A certificate authority that nobody else has, and the settings of a server that it vouches for.

    Its key never leaves this process. The one certificate is for this machine's loopback names, `host`, and each
    domain with the names directly below it. Many clients take no wildcard directly below a top-level domain, as
    `*.localhost` is, and none takes one for two labels, as in `my.bucket.localhost`: whoever asks for a name below
    `localhost` or a domain therefore gets a certificate for exactly that name.

    Args:
        host: address or name that the server binds.
        domains: domain names for virtual-hosted-style requests.

    Raises:
        CertificateError: what cannot stand in a certificate.
    """

    def __init__(self, host: str, domains: Sequence[str] = ()) -> None:
        self._authority = trustme.CA(organization_name="s3conform, for this run only")
        self._suffixes = tuple(f".{domain}" for domain in ("localhost", *domains))
        self._context_of = lru_cache(_KEPT)(self._context)
        names = [*_LOCAL, *(name for domain in domains for name in (domain, f"*.{domain}"))]
        if host not in _WILDCARD_ADDRESSES:
            names.append(host)
        for name in names:
            self._check(name)
        self.context = self._context(*dict.fromkeys(names))
        self.context.sni_callback = self._choose

    @property
    def bundle(self) -> bytes:
        """The authority's own certificate as PEM: what clients must trust."""
        return self._authority.cert_pem.bytes()

    def _check(self, name: str) -> None:
        try:
            self._authority.issue_cert(name)
        except ValueError as error:
            raise CertificateError(f"cannot make a certificate for {name!r}: {error}") from None

    def _context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # A ticket is of no use to a client that connects once, and one that nobody reads makes its close a reset.
        context.num_tickets = 0
        # Most clients hang up without a goodbye. HTTP tells itself whether a request is whole; without this, what
        # goes back would be an alert, also to idle clients when the server stops.
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Called in a handshake, with the name that the client wants to reach."""
        if name is not None and name.lower().endswith(self._suffixes):
            # What is no name gets the ordinary certificate: the client will refuse it, and knows why.
            with contextlib.suppress(ValueError):
                handshake.context = self._context_of(name.lower())


def ignore_unreadable_names() -> None:
    """For a process of our own: be silent about handshakes that ask for a name which is not ASCII.

    They fail as they should, but Python prints a traceback for each, out of reach of `Authority`.
    """
    usual = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        if not (isinstance(unraisable.exc_value, UnicodeDecodeError) and isinstance(unraisable.object, bytes)):
            usual(unraisable)

    sys.unraisablehook = hook


def write_bundle(folder: Path, bundle: bytes) -> Path:
    """Write the authority's certificate for everybody to read; at no time is there half a file.

    Returns:
        The absolute path of the file.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{_BUNDLE}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(bundle)
            os.fchmod(file.fileno(), 0o644)
        return Path(temporary).replace((folder / _BUNDLE).absolute())
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class TlsSocket:
    """The server's side of a TLS connection, with the methods of a plain socket and their meaning.

    `ssl.SSLSocket` differs where it matters: its `shutdown` forgets that there is TLS, so that what is sent
    afterwards goes out unencrypted, and the client is not told that the stream ends.

    Args:
        sock: an accepted connection; it belongs to this object from now on.
        context: settings of the server.

    Raises:
        OSError: the connection is gone already.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._ended = False
        self.sendall = self._tls.sendall
        self.settimeout = self._tls.settimeout
        self.close = self._tls.close

    def handshake(self, seconds: float) -> None:
        """Agree on keys within that time.

        Raises:
            OSError: the client speaks something else, trusts nobody here, or is too slow.
        """
        usual = self._tls.gettimeout()
        self._tls.settimeout(seconds)
        self._tls.do_handshake()
        self._tls.settimeout(usual)

    def recv(self, size: int, /) -> bytes:
        """Some bytes; none at the end of the stream. Once our side is ended, they are what crossed the wire."""
        return socket.socket.recv(self._tls, size) if self._ended else self._tls.recv(size)

    def shutdown(self, how: int, /) -> None:
        """End one direction or both. `SHUT_WR` says goodbye first, as far as it can without waiting.

        Any other than `SHUT_WR` may be called while another thread uses this object.
        """
        if how == socket.SHUT_WR and not self._ended:
            timeout = self._tls.gettimeout()
            self._tls.settimeout(0)
            # Sends the alert, then finds that the peer's has not come: that is no error here.
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
            self._tls.settimeout(timeout)
            self._ended = True
        socket.socket.shutdown(self._tls, how)
