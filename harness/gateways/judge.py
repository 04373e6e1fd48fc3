"""The suite against a gateway: installed, started, judged, stopped; what it was and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from harness.cli.options import SECOND_ACCESS_KEY, SECOND_SECRET_KEY, TEMPORARY, WEBSITE
from harness.clients.local import kill
from harness.errors import INTERRUPTED, EndpointError, UsageError
from harness.gateways import container
from harness.gateways import install as packages
from harness.gateways.container import Container, contained
from harness.gateways.description import Gateway
from harness.gateways.install import install
from harness.gateways.launch import Launch, launched
from harness.gateways.placeholders import filled

Way = Literal["package", "image"]

RUN = (sys.executable, "-P", "-c", "from harness.cli import main; main()", "run")
_NOT_INHERITED = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_CA_BUNDLE",
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    *TEMPORARY,
    WEBSITE,
}
_TICK = 0.2
_INTERRUPT_SECONDS = 180.0
"""How long a run that is interrupted may take to clean up."""


class About(msgspec.Struct, frozen=True):
    """What was judged, for readers of the run: written to `gateway.json` beside the run file.

    `packages` are those that were installed, by registry, or the image; times are seconds.
    """

    name: str
    title: str
    version: str
    homepage: str
    licence: str
    notes: str
    way: Way
    packages: dict[str, list[str]]
    install_seconds: float
    start_seconds: float
    restarts: int
    exit_code: int


def way(gateway: Gateway, prefer: Way, *, apt: bool = False) -> Way:
    """How a gateway can be had here.

    Raises:
        UsageError: in no way.
    """
    reasons: dict[Way, str] = {"package": packages.missing(gateway, apt=apt), "image": container.missing(gateway)}
    order: tuple[Way, ...] = ("package", "image") if prefer == "package" else ("image", "package")
    found = next((each for each in order if not reasons[each]), None)
    if found is None:
        raise UsageError(
            f"gateway {gateway.name} cannot be had here: as packages {reasons['package']}; by image {reasons['image']}"
        )
    return found


def judge(
    gateway: Gateway, prefer: Way, out: Path, options: list[str], tell: Callable[[str], None], *, apt: bool = False
) -> About:
    """Install, start, judge and stop a gateway.

    Args:
        gateway: its description.
        prefer: how it is to be had if both ways are there.
        out: the folder for run file, reports and the gateway's logs.
        options: further ones of `s3conform run`.
        tell: is told what is going on.
        apt: whether Debian packages may be installed for the whole machine.

    Raises:
        UsageError: it cannot be had here.
        EndpointError: it could not be installed or started, or ended while it was judged.
    """
    chosen = way(gateway, prefer, apt=apt)
    seconds = 0.0
    logs = out / "gateway"
    place: AbstractContextManager[Launch | Container]
    if chosen == "package":
        tell(f"{gateway.name}: packages are in {packages.home(gateway.name)}, or will be")
        installed = install(gateway, apt=apt)
        seconds = installed.seconds
        place = launched(gateway, installed, logs)
    else:
        place = contained(gateway, logs)
    begun = time.monotonic()
    with place as running:
        started, version = round(time.monotonic() - begun, 1), running.version()
        tell(f"{gateway.name}: {gateway.title} {version} started in {started:g} s")
        code = _run(gateway, running, version, out, options)
        restarts = running.restarts
    about = About(
        name=gateway.name,
        title=gateway.title,
        version=version,
        homepage=gateway.homepage,
        licence=gateway.licence,
        notes=gateway.notes,
        way=chosen,
        packages=_packages(gateway, chosen),
        install_seconds=seconds,
        start_seconds=started,
        restarts=restarts,
        exit_code=code,
    )
    (out / "gateway.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    return about


def _packages(gateway: Gateway, chosen: Way) -> dict[str, list[str]]:
    if chosen == "image" and gateway.image is not None:
        return {"image": [gateway.image.name]}
    return gateway.install.packages


def _run(gateway: Gateway, running: Launch | Container, version: str, out: Path, options: list[str]) -> int:
    """Run the suite while the gateway is tended; its exit code.

    Raises:
        EndpointError: the gateway ended meanwhile.
    """
    environment = {name: text for name, text in os.environ.items() if name not in _NOT_INHERITED}
    child = subprocess.Popen(
        [*RUN, *_arguments(gateway, running, version), "--out", str(out), *options],
        env=environment | _accounts(gateway, running),
        start_new_session=True,
    )
    ended = ""
    try:
        while child.poll() is None and not ended:
            time.sleep(_TICK)
            ended = running.tend()
        if ended:
            _interrupt(child)
    except KeyboardInterrupt:
        _interrupt(child)
        return INTERRUPTED
    finally:
        kill(child)
    if ended:
        raise EndpointError(f"gateway {gateway.name} ended while it was judged: {ended}")
    return child.returncode


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Let a run end in its own way, which cleans up and leaves a whole file; a second interrupt does not wait.

    By SIGTERM, which a process that was started in the background does not ignore.
    """
    child.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(_INTERRUPT_SECONDS)


def _arguments(gateway: Gateway, running: Launch | Container, version: str) -> list[str]:
    """The options of the run that the description knows; those of the user come after them."""
    options = gateway.options
    words = {
        "--endpoint": filled(gateway.endpoint, running.values),
        "--profile": gateway.profile,
        "--region": gateway.region,
        "--addressing": gateway.addressing,
        "--gateway": gateway.title,
        "--gateway-version": version,
        "--workers": "" if options.workers is None else str(options.workers),
        "--timeout": "" if options.timeout is None else f"{options.timeout:g}",
    }
    return [word for name, value in words.items() if value for word in (name, value)]


def _accounts(gateway: Gateway, running: Launch | Container) -> dict[str, str]:
    """The variables that give the run its accounts, and what else few scenarios need."""
    values = running.values
    given = {"AWS_ACCESS_KEY_ID": values["access_key"], "AWS_SECRET_ACCESS_KEY": values["secret_key"]}
    if gateway.second is not None:
        given |= {SECOND_ACCESS_KEY: values["second_access_key"], SECOND_SECRET_KEY: values["second_secret_key"]}
    if gateway.website:
        given[WEBSITE] = filled(gateway.website, values | {"bucket": "{bucket}"})
    return given
