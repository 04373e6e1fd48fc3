"""The command line of the server: `s3conform serve`."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import importlib
import importlib.util
import ipaddress
import json
import os
import re
import resource
import secrets
import shutil
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from reference_server.personality import UnknownPersonalityError, load

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reference_server.app import App
    from reference_server.auth import Credential
    from reference_server.store import Store

_USAGE = 2
#: Connections and the files behind them, with room to spare; many systems start with 256 or 1024.
_OPEN_FILES = 4096
_STOP_HINT = "press Ctrl-C to stop"


class UsageError(Exception):
    """What the user asked for cannot be done; the message is one line for them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped, or list the defects.

    Args:
        arguments: command line without the program's name; `sys.argv` if not given.

    Returns:
        The exit code: 0 after a stop or a list, 2 for what the user got wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        return _list_defects(options) if options.list_defects else _serve(options)
    except UsageError as error:
        sys.stderr.write(f"s3conform serve: {error}\n")
        return _USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="s3conform serve",
        description="Serve S3 from this machine: in memory, or from a folder.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    add("--port", type=int, default=0, help="port to bind; 0 lets the system choose (default: %(default)s)")
    add(
        "--credential",
        action="append",
        default=[],
        metavar="AK:SK[:TOKEN]",
        help="an access key and its secret key; repeat for further accounts (default: one random pair). With a session "
        "token, temporary credentials of the account before it",
    )
    add("--kms-key", action="append", default=[], metavar="ID", help="a KMS key that exists; repeat for more")
    add("--region", default="us-east-1", help="region of all buckets (default: %(default)s)")
    add(
        "--domain",
        action="append",
        default=[],
        help="domain for virtual-hosted-style requests; localhost always is one",
    )
    add("--personality", default="aws", metavar="NAME", help="gateway to behave as (default: %(default)s)")
    add(
        "--defect", action="append", default=[], metavar="NAME", help="be wrong on purpose in this way; repeat for more"
    )
    add("--list-defects", action="store_true", help="print the ways to be wrong, with --json as lines of JSON, and end")
    add(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        help="be different in this harmless way, as other correct servers are; repeat for more",
    )
    add("--data", type=Path, metavar="DIR", help="keep everything in this folder (default: in memory)")
    add("--tls", action="store_true", help="speak HTTPS, with a certificate of an authority made for this run")
    add("--also-http", action="store_true", help="with --tls: speak plain HTTP too, on another port")
    add("--json", action="store_true", help="print one line of JSON once the server answers")
    add("--until-eof", action="store_true", help="also stop when standard input ends")
    add("--debug", action="store_true", help="print tracebacks of internal errors")
    return parser


def _list_defects(options: argparse.Namespace) -> int:
    from reference_server.defects.show import list_of_defects  # noqa: PLC0415 - seldom wanted

    _write(list_of_defects(as_json=options.json))
    return 0


def _check_variants(names: Sequence[str]) -> None:
    if not names:
        return
    from reference_server.variants import UnknownVariantError, check_names  # noqa: PLC0415 - seldom wanted

    try:
        check_names(names)
    except UnknownVariantError as error:
        raise UsageError(str(error)) from None


def _check_defects(names: Sequence[str]) -> None:
    if not names:
        return
    from reference_server.defects import UnknownDefectError, check_names  # noqa: PLC0415 - seldom wanted

    try:
        check_names(names)
    except UnknownDefectError as error:
        raise UsageError(str(error)) from None


def _serve(options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN or number is not signal.SIGHUP:  # nohup keeps it ignored
            signal.signal(number, lambda *_: stopped.set())
    try:
        personality = load(options.personality)
    except UnknownPersonalityError as error:
        raise UsageError(str(error)) from None
    _check_defects(options.defect)
    _check_variants(options.variant)
    if options.also_http and not options.tls:
        raise UsageError("--also-http is for a server that speaks HTTPS: give --tls too")
    given = [_credential(text) for text in options.credential]
    if given and given[0][2] is not None:
        raise UsageError("--credential with a token is for the account of the --credential before it; there is none")
    if len({access_key for access_key, _, _ in given}) < len(given):
        raise UsageError("--credential names an access key twice; which of its secret keys is right?")
    domains = tuple(domain.lower() for domain in options.domain)
    _raise_file_limit()
    os.umask(0o077)  # a data folder holds a secret key
    with _data_folder(options.data), _certified(options, domains) as (ssl_context, bundle):
        # Imported only now: wrong arguments are answered at once.
        from reference_server.app import App  # noqa: PLC0415
        from reference_server.rules.encryption import KeyRing  # noqa: PLC0415
        from reference_server.server import Server  # noqa: PLC0415

        with _store(options.data) as store:
            pair, credentials = _credentials(given or [_random_credential(store.setting)])
            app = App(
                store,
                credentials,
                region=options.region,
                keys=KeyRing(dict.fromkeys(options.kms_key, True)),
                domains=domains,
                personality=personality,
                defects=options.defect,
                variants=options.variant,
                debug=options.debug,
            )
            try:
                server = Server(app, options.host, options.port, debug=options.debug, ssl_context=ssl_context)
                plain = Server(app, options.host, debug=options.debug) if options.also_http else None
                target = Server(app, options.host, ssl_context=ssl_context) if personality.redirects else None
                plain_target = Server(app, options.host) if personality.redirects and options.also_http else None
            except (OSError, OverflowError, UnicodeError) as error:
                reason = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
                raise UsageError(f"cannot listen on {options.host} port {options.port}: {reason}") from None
            with contextlib.ExitStack() as running:
                for one in filter(None, (plain, target, plain_target, server)):
                    one.start()
                    running.callback(one.stop)
                app.target = target.endpoint if target else ""
                app.plain_target = plain_target.endpoint if plain_target else ""
                further = {
                    "ca_bundle": str(bundle or ""),
                    "http_endpoint": plain.endpoint if plain else "",
                    "legacy_object": preload(app),
                }
                _announce(options, server.endpoint, pair, further)
                _wait(stopped, until_eof=options.until_eof)
    return 0


_Given = tuple[str, str, str | None]


def _credential(text: str) -> _Given:
    """Access key, secret key and session token."""
    pieces = text.split(":")
    if len(pieces) not in (2, 3) or not all(pieces) or "/" in pieces[0] or any(c.isspace() for c in text):
        # The value itself is not repeated: it may hold a secret.
        raise UsageError(
            "--credential wants ACCESS_KEY:SECRET_KEY or ACCESS_KEY:SECRET_KEY:TOKEN, without spaces, and no '/' in "
            "the access key"
        )
    return pieces[0], pieces[1], pieces[2] if len(pieces) == 3 else None


def _credentials(given: Sequence[_Given]) -> tuple[tuple[str, str], dict[str, Credential]]:
    """The first pair, and all credentials by access key; a temporary one belongs to the account before it."""
    from reference_server.auth import Credential  # noqa: PLC0415 - see `_serve`

    found: dict[str, Credential] = {}
    account = ""
    for access_key, secret, token in given:
        account = access_key if token is None else account
        found[access_key] = Credential(secret, token, None if token is None else account)
    return (given[0][0], given[0][1]), found


def _random_credential(setting: Callable[[str, Callable[[], str]], str]) -> _Given:
    """A random pair; with a data folder the one that was made for it, which owns its buckets."""
    access_key = setting("access_key", lambda: "S3C" + secrets.token_hex(8).upper())
    return access_key, setting("secret_key", lambda: secrets.token_hex(20)), None


@contextlib.contextmanager
def _data_folder(folder: Path | None) -> Iterator[None]:
    """Hold the folder for this process alone."""
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock: IO[str] = (folder / "lock").open("w")
    except OSError as error:
        raise UsageError(f"cannot use {folder} for data: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another server uses {folder} for its data") from None
        yield


@contextlib.contextmanager
def _store(folder: Path | None) -> Iterator[Store]:
    from reference_server.store import Store  # noqa: PLC0415 - see `_serve`

    try:
        store = Store(folder)
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"cannot use {folder} for data: {error}") from None
    with contextlib.closing(store):
        yield store


@contextlib.contextmanager
def _certified(
    options: argparse.Namespace, domains: Sequence[str]
) -> Iterator[tuple[ssl.SSLContext, Path] | tuple[None, None]]:
    """Settings for TLS, and the file with what clients must trust; neither without `--tls`.

    With a data folder the file stays there, for a client that is started by hand; else it goes with the server.
    """
    if not options.tls:
        yield None, None
        return
    from reference_server import tls  # noqa: PLC0415 - costs time, and most servers do without

    tls.ignore_unreadable_names()
    try:
        authority = tls.Authority(options.host, domains)
    except tls.CertificateError as error:
        raise UsageError(str(error)) from None
    with contextlib.ExitStack() as stack:
        try:
            folder = options.data or stack.enter_context(_temporary_folder())
            bundle = tls.write_bundle(folder, authority.bundle)
        except OSError as error:
            raise UsageError(f"cannot write the certificate of the authority: {error.strerror}") from None
        yield authority.context, bundle


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder of this process; if it is killed, the next server finds the mark that nobody locks, see `blobs`."""
    from reference_server.blobs import temporary_folder  # noqa: PLC0415 - see `_serve`

    folder, mark = temporary_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        mark.close()


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def preload(app: App) -> str:
    """Store what a personality has from before the first request, and say where as BUCKET/KEY; empty for nothing.

    Its module has a function `legacy(app)` for that.
    """
    name = f"reference_server.personalities.{re.sub('[-.]', '_', app.personality.name)}"
    if importlib.util.find_spec(name) is None:
        return ""
    legacy = getattr(importlib.import_module(name), "legacy", None)
    return str(legacy(app)) if legacy is not None else ""


def _announce(options: argparse.Namespace, endpoint: str, pair: tuple[str, str], further: Mapping[str, str]) -> None:
    """Say where the server is, who may ask, and what else there is of it: the texts in `further` that are not empty."""
    if not _is_loopback(options.host):
        sys.stderr.write(
            f"warning: {options.host} is no loopback address: others on the network can reach this server\n"
        )
    access_key, secret_key = pair
    facts = {
        "endpoint": endpoint,
        "access_key": access_key,
        "secret_key": secret_key,
        "region": options.region,
        **{name: text for name, text in further.items() if text},
    }
    if options.json:
        text = json.dumps(facts) + "\n"
    else:
        lines = [f"{name.replace('_', ' '):<13} {value}" for name, value in facts.items()]
        text = "\n".join([*lines, _STOP_HINT, ""])
    _write(text)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered must not fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise UsageError(f"cannot write to standard output: {error.strerror}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait(stopped: threading.Event, *, until_eof: bool) -> None:
    if until_eof:
        threading.Thread(target=_watch_input, args=(stopped,), daemon=True).start()
    stopped.wait()


def _watch_input(stopped: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    stopped.set()
