"""Which clients a run has, at which versions, and how each is run: what the user asks for and the machine offers.

A client that can be run in several ways is run in a container where an engine answers and its image is there or can
be pulled, else as the program of this machine, else as the packaged program beside this Python.
"""

from __future__ import annotations

import queue
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from harness.clients import CLIENTS, INPROCESS, driver
from harness.errors import UsageError, unknown
from harness.record import ClientInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

RunnerName = Literal["auto", "local", "docker"]
RUNNERS = ("auto", "local", "docker")
WAYS = ("inprocess", "local", "docker", "docker-run")


class Wish(NamedTuple):
    """How one client is to be run: `rclone=docker:rclone/rclone:1.66`. `target` is an image or a path, or ""."""

    client: str
    way: str
    target: str


def wish(text: str) -> Wish:
    """What `--client` asks for.

    Raises:
        UsageError: it is not CLIENT=WAY or CLIENT=WAY:TARGET, or the client cannot be run that way.
    """
    client, _, how = text.partition("=")
    way, _, target = how.partition(":")
    if client not in CLIENTS:
        raise unknown("client", client, CLIENTS)
    if way not in WAYS:
        raise UsageError(f"--client {text}: say how to run it, as {client}=local or {client}=docker:IMAGE")
    if (way == "inprocess") != (client in INPROCESS):
        ways = "inprocess" if client in INPROCESS else "local, docker, docker-run"
        raise UsageError(f"--client {text}: {client} runs {ways}")
    if target and way == "inprocess":
        raise UsageError(f"--client {text}: a library of this process has no other path")
    return Wish(client, way, target)


def choose(
    names: Iterable[str], wishes: Sequence[Wish], runner: RunnerName, tell: Callable[[str], None]
) -> list[ClientInfo]:
    """The columns of a run: each client as it is wished for, or else once, as the machine offers it.

    Args:
        names: the clients.
        wishes: how some of them are to be run; several for one client are several columns.
        runner: how the others are to be run.
        tell: is told of what takes long.

    Returns:
        Clients in the order of `CLIENTS`, each with a label of its own; `missing` says why one cannot take part.
    """
    chosen = set(names)
    jobs: list[Callable[[], ClientInfo]] = []
    for name in (name for name in CLIENTS if name in chosen):
        asked = [one for one in wishes if one.client == name]
        if not asked:
            jobs.append(lambda name=name: _offered(name, runner, tell))  # type: ignore[misc]
        jobs += [lambda one=one: _wished(one, tell) for one in asked]  # type: ignore[misc]
    return _labelled(_at_once(jobs))


def _at_once(jobs: Sequence[Callable[[], ClientInfo]]) -> list[ClientInfo]:
    """The results in order; most of it is waiting for programs to tell their version.

    In threads that an interrupt does not wait for.
    """
    results: list[queue.SimpleQueue[ClientInfo | BaseException]] = [queue.SimpleQueue() for _ in jobs]

    def work(job: Callable[[], ClientInfo], result: queue.SimpleQueue[ClientInfo | BaseException]) -> None:
        try:
            result.put(job())
        except BaseException as error:
            result.put(error)

    for job, result in zip(jobs, results, strict=True):
        threading.Thread(target=work, args=(job, result), daemon=True).start()
    infos = []
    for result in results:
        came = result.get()
        if isinstance(came, BaseException):
            raise came
        infos.append(came)
    return infos


def _labelled(infos: list[ClientInfo]) -> list[ClientInfo]:
    """Each with a column of its own: by version where that tells them apart, else also by runner, else by number."""
    spellings = (
        lambda info: info.name,
        lambda info: f"{info.name}-{info.version or 'missing'}",
        lambda info: f"{info.name}-{info.version or 'missing'}-{info.runner}",
    )
    labels = [info.name for info in infos]
    for spelling in spellings:
        taken = Counter(labels)
        labels = [spelling(info) if taken[label] > 1 else label for info, label in zip(infos, labels, strict=True)]
    seen: Counter[str] = Counter()
    result = []
    for info, label in zip(infos, labels, strict=True):
        seen[label] += 1
        unique = label if seen[label] == 1 else f"{label}-{seen[label]}"
        result.append(msgspec.structs.replace(info, column="" if unique == info.name else unique))
    return result


def _offered(name: str, runner: RunnerName, tell: Callable[[str], None]) -> ClientInfo:
    """A client as this machine offers it."""
    if name in INPROCESS:
        return _inprocess(name)
    if name == "jssdk":
        return _node("")
    image = driver(name).image
    if runner == "local" or (runner == "auto" and not image):
        return _local(name, "")
    if runner == "docker":
        return _docker(name, "docker", image, tell)
    found = _docker(name, "docker", image, tell) if _engine() else None
    return found if found is not None and not found.missing else _local(name, "")


def _wished(asked: Wish, tell: Callable[[str], None]) -> ClientInfo:
    """A client as the user wants it."""
    name, way, target = asked
    if way == "inprocess":
        return _inprocess(name)
    if name == "jssdk":
        return _node(target) if way == "local" else ClientInfo(name, "", way, target, "there is no image of an SDK")
    if way == "local":
        return _local(name, target)
    return _docker(name, way, target or driver(name).image, tell)


def _inprocess(name: str) -> ClientInfo:
    from importlib.metadata import version

    from harness import __version__

    return ClientInfo(name, __version__ if name == "raw" else version(name), "inprocess")


def _node(folder: str) -> ClientInfo:
    version, reason = driver("jssdk").available(folder)
    return ClientInfo("jssdk", version, "local", missing=reason, program=folder)


def _local(name: str, path: str) -> ClientInfo:
    """The first program of this machine that tells its version."""
    from harness.clients import local

    client = driver(name)
    paths = [path] if path else local.find(client.program)
    for found in paths:
        version = local.version(found, client.version_arg, client.version_pattern)
        if version:
            return ClientInfo(name, version, "local", program=found)
    reason = f"{paths[0]} does not run" if paths else f"{client.program} is not installed"
    return ClientInfo(name, "", "local", missing=reason + (f" ({client.install})" if client.install else ""))


def _docker(name: str, way: str, image: str, tell: Callable[[str], None]) -> ClientInfo:
    """An image that is there, or that can be pulled."""
    client = driver(name)
    reason = ""
    if not image:
        reason = f"there is no official image of {name}; give one as --client {name}={way}:IMAGE"
    elif not re.fullmatch(r"[\w][\w.:/@-]*", image):
        reason = f"{image!r} is not the name of an image"
    elif not _engine():
        reason = "no container engine answers"
    if reason:
        return ClientInfo(name, "", way, image, reason)
    from harness.clients import docker

    if not docker.has(image):
        tell(f"pulling {image}")
        reason = docker.pull(image)
        if reason:
            return ClientInfo(name, "", way, image, f"{image} is not here and cannot be pulled: {reason}")
    version, reason = docker.version(image, client.idle, client.version_arg, client.version_pattern)
    return ClientInfo(name, version, way, image, reason)


def _engine() -> bool:
    """Whether a container engine answers."""
    from harness.clients import docker

    return docker.engine() is not None
