"""A throw-away certificate authority: whoever trusts it lets the wiretap read what it sends over https.

Its key never leaves this process. It vouches for the endpoint's own name and the names below it, nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import tempfile
import weakref
from pathlib import Path
from shutil import rmtree

import trustme

_KEPT = 256
"""Names that have a certificate each; clients take no wildcard directly below a top-level domain."""


class Authority:
    """An authority of its own for one endpoint, and the file that clients are to trust.

    Attributes:
        bundle: path of its certificate as PEM, below a folder of its own that ends with this object.
        context: TLS settings of a server that the authority vouches for.

    Args:
        host: name or address of the endpoint.
    """

    def __init__(self, host: str) -> None:
        self._authority = trustme.CA(organization_name="s3conform, for this run only")
        self._host = host.lower()
        folder = Path(tempfile.mkdtemp(prefix="s3conform-ca-"))
        self._finalizer = weakref.finalize(self, rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # programs in containers may have another user
        self.bundle = str(folder / "ca.pem")
        Path(self.bundle).write_bytes(self._authority.cert_pem.bytes())
        self._settings = functools.lru_cache(_KEPT)(self._make)
        self.context = self._make(*dict.fromkeys((self._host, "localhost", "127.0.0.1", "host.docker.internal")))
        self.context.sni_callback = self._choose

    def close(self) -> None:
        """Remove the file."""
        self._finalizer()

    def _make(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.num_tickets = 0
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Called in a handshake, with the name that the client wants to reach."""
        if name is not None and name.lower().endswith(f".{self._host}"):
            with contextlib.suppress(ValueError):  # what is no name gets the ordinary certificate, and is refused
                handshake.context = self._settings(name.lower())
