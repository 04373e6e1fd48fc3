"""Running one cell: a scenario through a client, within its time, to a verdict."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.clients import make
from harness.clients.base import Client, Observed
from harness.config import Endpoint, RunConfig
from harness.limit import OutOfTime, limit
from harness.lint import Finding, Witnessed, lint
from harness.place import Place
from harness.profile import Profile
from harness.record import FAILING, Cell, ClientInfo, Lint, Observation
from harness.sandbox import NAME, Sandbox
from harness.scenario import Scenario
from harness.scene import Scene
from harness.signals import ClientFault, Inexpressible, Mismatch, Prerequisite
from harness.verdict import judge
from harness.wire.curl import curl
from harness.wire.exchange import Body, Exchange
from harness.wire.http1 import Origin
from harness.wire.redact import MASK, Redactor
from harness.wire.route import recognise

MAX_EXCHANGES = 24
"""Exchanges kept of one cell; `requests` counts them all."""


_NOTES, _NOTE = 8, 300
"""Notes kept of a cell, and characters of each."""
_TEXT = 4000
"""Characters kept of what was expected and observed: an error message of the endpoint has no bound of its own."""

_LONG = 10.0
"""Seconds after which a cell that failed is not run again."""
_PAUSE = 0.2
"""Seconds between two questions whether an endpoint has come back."""
_LISTINGS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"})
"""Operations whose answers name what is in a bucket."""


class CellRunner:
    """Runs cells one after another, with one instance of each client for all of them.

    Args:
        config: the run.
        profile: what the gateway documents.
        worker: name of this worker, unique in the run.
        revival: seconds in which an endpoint that stopped answering may come back.
    """

    def __init__(self, config: RunConfig, profile: Profile, worker: str, revival: float = 4.0) -> None:
        self._revival = revival
        self._config = config
        self._profile = profile
        self._columns = {info.label: info for info in config.clients}
        self._places: dict[str, Place] = {}
        self._redact = Redactor(config.endpoint.secrets)
        self._witness = self._place(config.endpoint).witness
        self._clients: dict[tuple[str, bool], Client] = {}
        self._sandbox = Sandbox(config.run_id, worker, self._witness, config.journal, config.bucket, profile.implicit)
        self._lints: list[Lint] = []
        self._found: set[tuple[str, ...]] = set()
        self._alive = True
        self._asked = (0.0, 0.0)

    def run(self, scenario: Scenario, column: str) -> Cell:
        """The cell; one that fails is run once more, and marked flaky if that comes to another verdict.

        One that failed after a long wait is not: against an endpoint that hangs a run would take twice as long.

        One that violates both times is run with the settings that the endpoint was found to need, if there are any:
        whether it passes with them is told, and changes nothing in the verdict.
        """
        info = self._columns[column]
        first = self._once(scenario, info, 1)
        if first.verdict not in FAILING or not self._alive:
            return first
        if first.seconds > _LONG:
            return first
        if self._once(scenario, info, 2).verdict != first.verdict:
            return msgspec.structs.replace(first, flaky=True)
        advised = self._config.advised.get(info.name, {})
        if first.verdict != "violates" or not advised or not self._alive:
            return first
        if self._once(scenario, info, 3, advised).verdict != "conforms":
            return first
        settings = ", ".join(f"{name} = {value}" for name, value in advised.items())
        message = f"{first.message} (passes with {info.name} {settings})"
        return msgspec.structs.replace(first, passes_with=settings, message=self._redact.text(message))

    def attempt(self, scenario: Scenario, column: str) -> Cell:
        """The cell, run once whatever comes of it."""
        return self._once(scenario, self._columns[column], 1)

    def lints(self) -> list[Lint]:
        """What the rules for every exchange have found since this was asked last, each once for a client."""
        found, self._lints = self._lints, []
        return found

    def close(self) -> None:
        """End all clients."""
        for client in self._clients.values():
            client.close()
        for place in self._places.values():
            place.close()

    def _once(
        self, scenario: Scenario, info: ClientInfo, attempt: int, advised: Mapping[str, str] | None = None
    ) -> Cell:
        started = time.monotonic()
        if info.missing:
            observation = Observation("inexpressible", info.missing)
            return self._cell(scenario, info, observation, None, started)
        place = self._place(self._config.endpoint_of(info))
        try:
            chosen = self._client(info, place, advised or {})
        except Exception as error:  # a client that cannot even be made is no fault of the endpoint
            observation = Observation("failure", f"the client cannot be set up: {_told(error)}")
            return self._cell(scenario, info, observation, None, started)
        name = f"{scenario.id}-{info.label}-{attempt}".lower()
        scene = Scene(name, chosen, place.witness, self._sandbox, place.stranger, self._config.seed)
        place.begin(info.label)
        try:
            with limit(self._config.endpoint.cell_limit):
                observation = self._observe(scenario, scene)
        except OutOfTime:
            observation = self._out_of_time(scene)
        witnessed = list(place.witnessed)  # and not what tidying up asks
        self._tidy()
        if scene.crowded:  # the order in which exchanges ended is not that in which they were asked
            self._redact.learn(scene.exchanges)  # nobody witnessed those of the crowd
            witnessed = [one._replace(crowded=True) for one in witnessed]
        self._lint(scenario.id, witnessed, Origin.of(place.endpoint.url))
        return self._cell(scenario, info, observation, scene, started)

    def _lint(self, scenario: str, witnessed: list[Witnessed], origin: Origin) -> None:
        """Note what the rules find for the first time; a rule that fails is the harness's own fault, told as one."""
        try:
            with limit(self._config.endpoint.cell_limit):
                findings = lint(witnessed, origin, self._redact.text)
        except (Exception, OutOfTime) as error:
            message = f"the rules failed: {_told(error)}"
            findings = [Finding("LINT-000", "failure", "harness", "", message, 0)] if witnessed else []
        for finding in findings:
            seen = witnessed[finding.index]
            key = (finding.rule, finding.operation, seen.sender, finding.party, finding.severity)
            if key in self._found:
                continue
            self._found.add(key)
            self._lints.append(
                Lint(
                    finding.rule,
                    finding.operation,
                    seen.sender,
                    scenario,
                    self._redact.text(finding.message),
                    self._evidence(seen.exchange),
                    finding.severity,
                    finding.party,
                )
            )

    def _place(self, endpoint: Endpoint) -> Place:
        if endpoint.url not in self._places:
            self._places[endpoint.url] = Place(endpoint, self._redact)
        return self._places[endpoint.url]

    def _client(self, info: ClientInfo, place: Place, advised: Mapping[str, str]) -> Client:
        if info.name == "raw":
            return place.witness
        key = (info.label, bool(advised))
        if key not in self._clients:
            settings = {**self._profile.settings.get(info.name, {}), **advised}
            self._clients[key] = make(info, place.endpoint, settings, place.tap)
        return self._clients[key]

    def _tidy(self) -> None:
        """Cleanup never decides a verdict: what cannot be removed now is left to the end of the run."""
        try:
            with limit(self._config.endpoint.cell_limit):
                self._sandbox.end_cell()
        except OutOfTime:
            self._witness.close()

    def _out_of_time(self, scene: Scene) -> Observation:
        self._witness.close()
        late = self._observation(scene, "failure", f"no verdict within {self._config.endpoint.cell_limit:g} s")
        try:
            with limit(self._config.endpoint.timeout):
                return self._lost(scene, None) or late
        except OutOfTime:
            self._witness.close()
            self._alive = False
            return late

    def _observe(self, scenario: Scenario, scene: Scene) -> Observation:
        if self._still_gone():
            return Observation("failure", "not run: the endpoint does not answer any more")
        try:
            scenario.function(scene)
        except Mismatch as signal_:
            return self._mismatch(scene, signal_)
        except Prerequisite as signal_:
            lost = self._lost(scene, signal_.observed)
            return lost or self._observation(scene, "prerequisite", str(signal_), signal_.observed)
        except Inexpressible as signal_:
            return self._observation(scene, "inexpressible", str(signal_))
        except ClientFault as signal_:
            return self._observation(scene, "failure", str(signal_))
        except Exception as error:  # the harness's own fault is never charged to the endpoint
            return self._observation(scene, "failure", f"harness fault: {_told(error)}")
        if not scene.expected:
            return self._observation(scene, "failure", "harness fault: the scenario checked nothing")
        return self._observation(scene, "match", "")

    def _mismatch(self, scene: Scene, mismatch: Mismatch) -> Observation:
        lost = self._lost(scene, mismatch.observed)
        return lost or self._observation(scene, "mismatch", mismatch.found, mismatch.observed)

    def _lost(self, scene: Scene, observed: Observed | None) -> Observation | None:
        """After an answer that never came: a failure if the endpoint is gone, else nothing (it is a finding)."""
        if observed is not None and not observed.failure and scene.seen:
            observed = scene.seen[-1][1]  # the second look, perhaps, that a scenario judges the call by
        if observed is not None and not observed.failure:
            return None
        if not self._gone():
            return None
        why = observed.failure if observed is not None else "no answer in time"
        return self._observation(scene, "failure", f"the endpoint stopped answering during this scenario: {why}")

    def _gone(self) -> bool:
        """Whether the endpoint does not answer, nor within seconds: one that falls over may be started again."""
        begun = time.monotonic()
        while not self._answers() and time.monotonic() - begun < self._revival:
            time.sleep(_PAUSE)
        return not self._alive

    def _answers(self) -> bool:
        begun = time.monotonic()
        self._alive = not self._witness.call("ListBuckets", {}).failure
        self._asked = (begun, time.monotonic())
        return self._alive

    def _still_gone(self) -> bool:
        """Whether an endpoint that was gone still is; one that is slow to refuse is not asked for every cell."""
        begun, answered = self._asked
        if self._alive or time.monotonic() - answered < answered - begun:
            return not self._alive
        return not self._answers()

    def _observation(self, scene: Scene, outcome: Any, text: str, failing: Observed | None = None) -> Observation:
        return Observation(outcome, text[:_TEXT], scene.steps, scene.index(failing))

    def _cell(
        self, scenario: Scenario, info: ClientInfo, observation: Observation, scene: Scene | None, started: float
    ) -> Cell:
        today = dt.datetime.now(dt.UTC).date()
        verdict = judge(scenario.id, f"{info.name}@{info.version}", observation, self._profile, today)
        exchanges = scene.exchanges if scene else []
        sent = scene.sent if scene else []
        kept = [self._evidence(exchange) for exchange in _shown(exchanges, scene, observation.failing)]
        return Cell(
            scenario=scenario.id,
            level=scenario.level,
            family=scenario.family,
            title=scenario.title,
            operations=list(scenario.operations),
            client=info.name,
            client_version=info.version,
            column=info.column,
            verdict=verdict.verdict,
            expected=self._redact.text(scene.expected[:_TEXT] if scene else ""),
            observed=self._redacted(observation),
            message=self._redact.text(verdict.message),
            seconds=round(time.monotonic() - started, 4),
            requests=len(sent),
            exchanges=kept,
            repro=self._repro(scene, observation.failing) if scene else {},
            profile_entry=verdict.entry,
            confidence=scenario.confidence,
            notes=[self._redact.text(note[:_TEXT])[:_NOTE] for note in scene.notes[:_NOTES]] if scene else [],
            waited=round(sum(exchange.seconds for exchange in sent) + (scene.waited if scene else 0.0), 4),
        )

    def _evidence(self, exchange: Exchange) -> Exchange:
        """An exchange as it is stored: without secrets, and without what others keep in buckets of theirs.

        `s3cmd la`, for one, lists every bucket there is.
        """
        if exchange.method != "GET" or exchange.status != 200:
            return self._redact.exchange(exchange)
        secure = self._config.secure
        endpoint = secure if secure and exchange.url.startswith("https:") else self._config.endpoint
        origin = Origin.of(endpoint.url)
        sent = recognise(exchange, origin)
        own = sent.bucket.startswith(f"{NAME}-") or sent.bucket in ("", self._config.bucket)
        if not own and sent.operation in _LISTINGS:
            body = Body(exchange.response_body.size, "", truncated=True)
            url = f"{origin.scheme}://{origin.authority}/{MASK}"
            lines = [(name, MASK if name.lower() == "host" else value) for name, value in exchange.request_headers]
            exchange = msgspec.structs.replace(exchange, url=url, request_headers=lines, response_body=body)
        return self._redact.exchange(exchange)

    def _redacted(self, observation: Observation) -> Observation:
        """The observation without secrets: every text of it that is not the harness's own passes the redactor."""
        text = self._redact.text
        steps = [
            msgspec.structs.replace(
                step,
                code=text(step.code),
                message=text(step.message),
                failure=text(step.failure),
                headers=dict(self._redact.headers(list(step.headers.items()))),
            )
            for step in observation.steps
        ]
        return msgspec.structs.replace(observation, text=text(observation.text), steps=steps)

    def _repro(self, scene: Scene, failing: int) -> dict[str, str]:
        """How to repeat the failing call, or else the last one made through the client under test."""
        calls = [observed for role, observed in scene.seen if role == "client"]
        chosen = scene.seen[failing][1] if failing >= 0 else (calls[-1] if calls else None)
        if chosen is None:
            return {}
        last: list[Exchange] = chosen.exchanges[-1:]
        commands = {"curl": curl(self._evidence(last[0]), self._config.endpoint.region)} if last else {}
        return commands | {name: self._redact.text(text) for name, text in chosen.command.items()}


def _shown(exchanges: list[Exchange], scene: Scene | None, failing: int) -> list[Exchange]:
    """The first exchanges, and among them the one that shows the failure, wherever it stands."""
    kept = exchanges[:MAX_EXCHANGES]
    last = scene.seen[failing][1].exchanges[-1:] if scene is not None and failing >= 0 else []
    if last and all(last[0] is not one for one in kept):
        kept = [*kept[:-1], *last]
    return kept


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]
