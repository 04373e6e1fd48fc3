"""A server that can be made wrong between two cells, and clients that run cells against it, in one process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from harness import profile, scenario
from harness.cell import CellRunner
from harness.clients import choice
from harness.config import Endpoint, RunConfig
from harness.record import Cell, ClientInfo
from harness.run import new_run_id
from harness.sandbox import JournalHead, append
from harness.scenario import Scenario
from harness.wire.sigv4 import Credentials
from reference_server.app import App
from reference_server.auth import Credential
from reference_server.command import preload
from reference_server.defects import defects
from reference_server.defects.registry import SEAMS
from reference_server.personality import load
from reference_server.rules.encryption import KeyRing
from reference_server.server import Server
from reference_server.store import Store
from reference_server.variants import variants

REGION = "us-east-1"
SECONDS = 2.0
"""How long a single wait may take here: a defect that hangs is found sooner."""

_ONE, _TWO = Credentials("AKMUTANTONE", "secret-one"), Credentials("AKMUTANTTWO", "secret-two")
_SHORT = Credentials("AKMUTANTSHORT", "secret-short", "token-short")


def clients(names: Iterable[str], runner: choice.RunnerName = "local") -> list[ClientInfo]:
    """The clients of these names that this machine has, as libraries, and as local programs or in containers."""
    return [info for info in choice.choose(names, [], runner, lambda _: None) if not info.missing]


class Stage:
    """Cells against a server in this process.

    Args:
        infos: the clients.
        folder: a private folder.
        region: of the server.
        gateway: which one the server plays, and whose profile it is held to.
        legacy: BUCKET/KEY of the object that is named as older than the gateway's ETags, where it has none of its own.
    """

    def __init__(
        self,
        infos: list[ClientInfo],
        folder: Path,
        region: str = REGION,
        gateway: str = profile.STANDARD,
        legacy: str = "",
    ) -> None:
        self.infos = {info.name: info for info in infos}
        self._folder = folder
        self._region = region
        self._legacy = legacy
        self._personality = load(gateway)
        self._documented = profile.load(gateway)
        self._stack = ExitStack()
        self._registry = scenario.of_s3()
        self._runners: CellRunner | None = None
        self._workers = 0
        self._renew()

    def behave(self, names: Iterable[str]) -> None:
        """Let the server be wrong (defects), or different (variants), and let clients forget what they know of it."""
        self._renew()
        chosen = list(names)
        strange = [name for name in chosen if name not in defects() and name not in variants()]
        if strange:
            raise ValueError(f"neither a defect nor a variant: {', '.join(strange)}")
        self._app.behave(
            [name for name in chosen if name in defects()], [name for name in chosen if name in variants()]
        )

    def run(self, found: Scenario, client: str, *, twice: bool = False) -> Cell:
        """One cell; `twice` runs a failing one again and marks it flaky if that comes to another verdict."""
        run = self._runner.run if twice else self._runner.attempt
        return run(found, client)

    def trace(self, found: Scenario, client: str) -> tuple[Cell, set[str]]:
        """A cell against the honest server, and which seams of it were used."""
        self._app.behave([])
        seams, used = self._app.seams, set[str]()
        for name in SEAMS:
            setattr(seams, name, _noting(used, name, getattr(seams, name)))
        return self.run(found, client), used

    def close(self) -> None:
        """End the server and the clients."""
        self._stack.close()

    @property
    def endpoint(self) -> Endpoint:
        """Where the server is, and with whom clients speak to it."""
        return self._config.endpoint

    @property
    def _runner(self) -> CellRunner:
        if self._runners is None:
            self._workers += 1
            self._runners = CellRunner(self._config, self._documented, f"w{self._workers}", revival=0)
            self._stack.callback(self._runners.close)
        return self._runners

    def _renew(self) -> None:
        """Another server with nothing in it: what one defect left behind must not tell of the next."""
        self._stack.close()
        self._stack = ExitStack()
        store = Store()
        self._stack.callback(store.close)
        known = {one.access_key: Credential(one.secret_key) for one in (_ONE, _TWO)}
        known[_SHORT.access_key] = Credential(_SHORT.secret_key, _SHORT.session_token, _ONE.access_key)
        self._app = App(store, known, region=self._region, keys=KeyRing(), personality=self._personality)
        server = self._listening()
        if self._personality.redirects:
            self._app.target = self._listening().endpoint
        url = f"http://localhost:{server.port}"
        website = url.replace("://", "://{bucket}.s3-website.")
        endpoint = Endpoint(
            url,
            _ONE,
            self._region,
            timeout=SECONDS,
            second=_TWO,
            temporary=_SHORT,
            website=website,
            follow=self._documented.follow,
            legacy=preload(self._app) or self._legacy,
        )
        self._config = RunConfig(
            run_id=new_run_id(),
            endpoint=endpoint,
            profile=self._documented.name,
            clients=list(self.infos.values()),
            scenarios=list(self._registry),
            out=str(self._folder),
            seed=1,
        )
        self._config.journal.unlink(missing_ok=True)
        append(
            self._config.journal, JournalHead(self._config.run_id, url, self._region, "path", self._documented.implicit)
        )
        self._runners = None

    def _listening(self) -> Server:
        """A port at which the application answers, as long as this server does."""
        server = Server(self._app)
        server.start()
        self._stack.callback(server.stop)
        return server


def _noting(used: set[str], name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        used.add(name)
        return inner(*arguments, **options)

    return noted


@contextmanager
def stage(
    infos: list[ClientInfo], region: str = REGION, gateway: str = profile.STANDARD, legacy: str = ""
) -> Iterator[Stage]:
    """A stage that lives as long as the block."""
    with tempfile.TemporaryDirectory() as folder:
        found = Stage(infos, Path(folder), region, gateway, legacy)
        try:
            yield found
        finally:
            found.close()


def red(cell: Cell) -> bool:
    """Whether a cell says that the statement does not hold, and says so again when it is asked again."""
    return cell.verdict == "violates" and not cell.flaky


def told(cell: Cell) -> str:
    """A cell in one line."""
    return f"{cell.scenario} through {cell.label}: {cell.verdict}: {cell.message or cell.observed.text}"[:300]
