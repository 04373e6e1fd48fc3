"""From a description to a gateway that answers, and back to nothing: steps taken in order, processes always ended."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EndpointError, UsageError
from harness.gateways import waiting
from harness.gateways.description import Gateway, Step
from harness.gateways.install import Installed
from harness.gateways.placeholders import filled, first_values
from harness.gateways.process import Process, complete, stop_all

_ASK_SECONDS = 60.0
_EARLY_ENDS = 3
"""How often a process that is started again may end before the gateway answers."""
_AGAIN_SECONDS = 0.5
"""Pause before a process is started again."""


class Launch:
    """The processes of a gateway that is being started, runs, or is being stopped.

    Attributes:
        values: what stands for the placeholders.
        restarts: how often a process that may end was started again.

    Args:
        gateway: its description.
        installed: its software.
        folder: an empty folder for all that it writes.
        logs: the folder for what its processes write to their output.
    """

    def __init__(self, gateway: Gateway, installed: Installed, folder: Path, logs: Path) -> None:
        self.values = first_values(gateway) | {"folder": str(folder), "jar": installed.jar}
        self.restarts = 0
        self._gateway, self._installed, self._folder, self._logs = gateway, installed, folder, logs
        self._environment = {
            "PATH": installed.path,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LC_ALL": "C.UTF-8",
        }
        self._running: list[tuple[Process, Callable[[], Process] | None]] = []

    def start(self) -> None:
        """Take all steps.

        Raises:
            EndpointError: one of them failed, or took too long.
        """
        for name in ("home", "tmp"):
            (self._folder / name).mkdir()
        for number, step in enumerate(self._gateway.steps, 1):
            try:
                self._take(number, step)
            except (EndpointError, UsageError) as error:
                raise EndpointError(f"gateway {self._gateway.name}, step {number} ({step.kind}): {error}") from None

    def tend(self) -> str:
        """Start again what may end and has ended; how a process ended that must not, or ""."""
        for place, (process, again) in enumerate(self._running):
            if process.ended() is None:
                continue
            if again is None:
                return process.complaint()
            process.stop()
            time.sleep(_AGAIN_SECONDS)
            self._running[place] = (again(), again)
            self.restarts += 1
        return ""

    def stop(self) -> None:
        """End all processes, the last one first."""
        stop_all([process for process, _ in reversed(self._running)])

    def version(self) -> str:
        """What the gateway's own command says its version is, else what the package manager says.

        Raises:
            EndpointError: the command fails, or does not say.
        """
        asked = self._gateway.version
        if asked is None:
            return self._installed.version
        told = self._complete(asked.run, self._logs / "version.log", self._environment, _ASK_SECONDS)
        return _taken(asked.pattern, told)

    def _take(self, number: int, step: Step) -> None:
        environment = self._environment | {name: filled(text, self.values) for name, text in step.environment.items()}
        if step.write:
            path = self._folder / filled(step.write, self.values)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(filled(step.text, self.values), encoding="utf-8")
        elif step.run:
            told = self._complete(step.run, self._log(number, step.run[0]), environment, step.seconds)
            if step.keep:
                self.values[step.keep] = _taken(step.pattern, told) if step.pattern else told.strip()
        elif step.start:
            words, log = self._words(step.start), self._log(number, step.start[0])

            def process() -> Process:
                return Process(words, log, self._folder, environment)

            self._running.append((process(), process if step.again else None))
        if step.wait:
            waiting.until(filled(step.wait, self.values), step.seconds, self._look)

    def _look(self) -> None:
        """All processes are there.

        Raises:
            EndpointError: one is not.
        """
        ended = self.tend()
        if not ended and self.restarts > _EARLY_ENDS:
            ended = f"a process ended {self.restarts} times before the gateway answered (logs: {self._logs})"
        if ended:
            raise EndpointError(ended)

    def _complete(self, words: list[str], log: Path, environment: dict[str, str], seconds: float) -> str:
        return complete(self._words(words), log, self._folder, environment, seconds)

    def _words(self, words: list[str]) -> list[str]:
        return [filled(word, self.values) for word in words]

    def _log(self, number: int, program: str) -> Path:
        return self._logs / f"{number:02}-{Path(program).name}.log"


@contextmanager
def launched(gateway: Gateway, installed: Installed, logs: Path) -> Iterator[Launch]:
    """A gateway that lives as long as the block, and its files with it.

    Raises:
        EndpointError: it did not start.
    """
    logs.mkdir(parents=True, exist_ok=True)
    for log in logs.glob("*.log"):
        log.unlink()
    with tempfile.TemporaryDirectory(prefix="s3conform-", ignore_cleanup_errors=True) as folder:
        launch = Launch(gateway, installed, Path(folder), logs)
        try:
            launch.start()
            yield launch
        finally:
            launch.stop()


def _taken(pattern: str, text: str) -> str:
    """The first group of a pattern in a text.

    Raises:
        EndpointError: it does not match.
    """
    found = re.search(pattern, text)
    if found is None:
        raise EndpointError(f"{pattern!r} does not match what the command tells")
    return str(found[1] or "")
