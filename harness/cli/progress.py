"""What is shown while a run goes on: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import rich.progress
from rich.console import Console

from harness.record import FAILING, Cell


class Progress:
    """Counts finished cells on standard error.

    Args:
        planned: number of cells.
        what: what is being judged.
    """

    def __init__(self, planned: int, what: str) -> None:
        self._planned = planned
        self._done = 0
        self._failing = 0
        self._console = Console(stderr=True, soft_wrap=True)
        self._bar: rich.progress.Progress | None = None
        self._task = rich.progress.TaskID(0)
        self._console.print(f"Judging {what}: {planned} cells", markup=False, highlight=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = rich.progress.Progress(
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeElapsedColumn(),
                rich.progress.TextColumn("{task.description}", markup=False),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._planned)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def cell(self, cell: Cell) -> None:
        """One more cell is finished."""
        self._done += 1
        self._failing += cell.verdict in FAILING
        if self._bar is not None:
            text = f"{cell.scenario} {cell.client}" + (f" · {self._failing} failing" if self._failing else "")
            self._bar.update(self._task, advance=1, description=text)
        elif self._done * 10 // self._planned > (self._done - 1) * 10 // self._planned:
            self._console.print(
                f"{self._done}/{self._planned} cells, {self._failing} failing", markup=False, highlight=False
            )
