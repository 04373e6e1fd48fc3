"""What a run of the benchmarks is about: which servers, how many repetitions, and what went wrong with peers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.client import BenchError, head
from tests.bench.servers import MOTO, OURS, Server, started


@dataclass
class Plan:
    """One run. `names`: the servers to measure, ours first; `notes`: what they could not do."""

    names: list[str]
    quick: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def durable(self) -> list[str]:
        """The servers that can keep data in a folder."""
        return [name for name in self.names if name != MOTO]

    def times(self, number: int) -> int:
        """How often to repeat something: a third in a quick run."""
        return max(1, number // 3) if self.quick else number

    @contextmanager
    def tolerant(self, name: str, what: str) -> Iterator[None]:
        """A peer that fails gets a note and no figure; ours must not fail."""
        try:
            yield
        except BenchError as error:
            if name == OURS:
                raise
            note = f"{name}, {what}: {error}"
            if note not in self.notes:
                self.notes.append(note)

    @contextmanager
    def serving(self, names: list[str], *, durable: bool) -> Iterator[list[Server]]:
        """These servers side by side, but for peers that do not start; each has an empty bucket `bench`.

        Args:
            names: which.
            durable: with data in a folder, where a server can (moto cannot), or in memory.
        """
        with ExitStack() as stack:
            servers = []
            for name in names:
                with self.tolerant(name, "start"):
                    folder = None
                    if durable and name != MOTO:
                        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
                    server = stack.enter_context(started(name, folder))
                    server.ask(head(server.address, "PUT", "/bench"))
                    servers.append(server)
            yield servers
