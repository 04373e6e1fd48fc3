"""pytest glue, nothing else: scenarios × clients become items, their cells travel in reports.

pytest collects, distributes (pytest-xdist), times and isolates; what a cell is worth is decided in `harness.cell`
and `harness.verdict`. Two plugins: this module in every process that runs cells, `Collector` in the one that
writes the run file.
"""

from __future__ import annotations

import contextlib
import os
import resource
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import profile, scenario
from harness.cell import CellRunner
from harness.config import RunConfig
from harness.record import Cell, Lint

SCENARIOS = Path(__file__).parent.parent / "scenarios"

_CONFIG = pytest.StashKey[RunConfig]()
_RUNNER = pytest.StashKey[CellRunner]()
_SELECTED = pytest.StashKey[dict[str, list[scenario.Scenario]]]()
"""The scenarios of the run by the file of their module."""
_KEY = "s3conform"
_OPEN_FILES = 8192
"""The wiretap has two for each connection of a client, and some clients open hundreds."""


class CellFailed(Exception):
    """How a failing verdict is told to pytest; the text is the whole failure, there is no traceback to show."""


class CellItem(pytest.Item):
    """One scenario through one client."""

    def __init__(self, *, cell: tuple[scenario.Scenario, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scenario, self.column = cell
        self.cell: Cell | None = None
        self.lints: list[Lint] = []

    def runtest(self) -> None:
        """Run the cell; a verdict that counts as a failure is told to pytest."""
        runner = self.config.stash[_RUNNER]
        self.cell = runner.run(self.scenario, self.column)
        self.lints = runner.lints()
        if self.cell.fails:
            raise CellFailed(f"{self.cell.verdict}: {self.cell.message}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any, **__: Any) -> str:
        """The verdict in one line, never a traceback."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the item comes from."""
        return self.path, None, self.name


class ScenarioFile(pytest.File):
    """A module of scenarios: an item for each selected scenario of it and each client that can express it."""

    def collect(self) -> Iterator[pytest.Item]:
        """The module's cells of this run."""
        config = self.config.stash[_CONFIG]
        for found in self.config.stash[_SELECTED].get(str(self.path), ()):
            for column in columns_of(found, config):
                yield CellItem.from_parent(self, name=f"{found.id}[{column}]", cell=(found, column))


def columns_of(found: scenario.Scenario, config: RunConfig) -> list[str]:
    """The columns of the run that a scenario has cells for; slow program starts first, so that none trails.

    The second column that a client has over https is for what it sends otherwise there.
    """
    return [
        info.label
        for info in reversed(config.clients)
        if info.name in found.clients and (not info.scheme or found.differs_by_scheme)
    ]


def pytest_configure(config: pytest.Config) -> None:
    """Take the run's configuration from the process that started this one."""
    given = getattr(config, "workerinput", {})
    if _KEY in given:
        prepare(config, msgspec.json.decode(given[_KEY], type=RunConfig), given["workerid"])


def prepare(config: pytest.Config, run: RunConfig, worker: str) -> None:
    """Make this process ready to run cells."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    warnings.simplefilter("ignore")  # urllib3 warns of every unverified request that --insecure asked for
    config.stash[_CONFIG] = run
    registry, selected = scenario.load(), config.stash.setdefault(_SELECTED, {})
    for name in run.scenarios:
        selected.setdefault(registry[name].function.__code__.co_filename, []).append(registry[name])
    config.stash[_RUNNER] = CellRunner(run, profile.load(run.profile), worker)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the clients."""
    runner = config.stash.get(_RUNNER, None)
    if runner is not None:
        runner.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Every module below `scenarios/` may hold scenarios."""
    if file_path.suffix == ".py" and file_path.is_relative_to(SCENARIOS):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the cell travel with its report, also from another process."""
    report = yield
    if report.when == "call" and isinstance(item, CellItem) and item.cell is not None:
        vars(report)[_KEY] = msgspec.json.encode((item.cell, item.lints)).decode()
    return report


class Collector:
    """In the process that writes the run file: hands out the configuration, takes in cells.

    Args:
        run: what every worker is given.
        on_cell: called with each finished cell.
        on_lint: called with what the rules for every exchange found in it.
        on_lost: called with the item name and a reason for a cell that ended without one (a worker died).
        workers: number of processes; 1 runs the cells in this one.

    Attributes:
        stopped: why pytest itself ended the run early, "" otherwise.
    """

    def __init__(
        self,
        run: RunConfig,
        on_cell: Callable[[Cell], None],
        on_lint: Callable[[Lint], None],
        on_lost: Callable[[str, str], None],
        workers: int,
    ) -> None:
        self._run = run
        self._on_cell = on_cell
        self._on_lint = on_lint
        self._on_lost = on_lost
        self._workers = workers
        self.stopped = ""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell a stop by pytest itself (a worker that was interrupted) from Ctrl-C."""
        if type(excinfo.value) is not KeyboardInterrupt:
            self.stopped = f"stopped: {excinfo.value}"[:300]

    def pytest_configure(self, config: pytest.Config) -> None:
        """Run cells here if there are no workers."""
        if self._workers <= 1:
            prepare(config, self._run, "w0")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the configuration over the worker's private channel: nothing of it is on a command line."""
        node.workerinput[_KEY] = msgspec.json.encode(self._run).decode()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a finished cell."""
        sent = getattr(report, _KEY, None)
        if sent is not None:
            cell, lints = msgspec.json.decode(sent, type=tuple[Cell, list[Lint]])
            for line in lints:
                self._on_lint(line)
            self._on_cell(cell)
        elif report.failed:
            self._on_lost(report.nodeid.rpartition("::")[2], str(report.longrepr)[:500])


def main(collector: Collector, workers: int) -> int:
    """Run pytest over the selected cells; its exit status."""
    arguments = [
        str(SCENARIOS),
        "--noconftest",
        f"--rootdir={SCENARIOS.parent}",
        "--config-file=/dev/null",
        "--import-mode=importlib",
        *("-p", "harness.plugin", "-p", "xdist.plugin", "-p", "no:terminal", "-p", "no:cacheprovider"),
        *("-p", "no:warnings", "-p", "no:logging", "-p", "no:junitxml", "--capture=no"),
    ]
    # Neither the user's pytest and AWS settings, nor other installed plugins, nor modules in the current folder
    # may change what a run does; workers inherit this environment.
    for name in list(os.environ):
        if name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS") or name.startswith("AWS_"):
            del os.environ[name]
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONSAFEPATH": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    if workers > 1:
        arguments += [f"--numprocesses={workers}", "--dist=worksteal", "--maxprocesses=64"]
    return int(pytest.main(arguments, plugins=[collector]))
