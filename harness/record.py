"""The run file: a header line, one line a cell or lint finding, one with advice for clients, a footer line.

Written as cells finish, each line in one write, so that a kill at any byte costs at most the last line.
A file without footer is an incomplete run: readable, never a pass.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.errors import RunFileError
from harness.wire.exchange import Exchange

SCHEMA = 1

Level = Literal["MUST", "SHOULD", "EXTENDED"]
Confidence = Literal["recorded", "partly unverified", "unverified", "secondary"]
VerdictName = Literal[
    "conforms", "deviates", "unsupported", "violates", "contradicts", "blocked", "error", "inapplicable"
]
VERDICTS: tuple[VerdictName, ...] = (
    "conforms",
    "deviates",
    "unsupported",
    "violates",
    "contradicts",
    "blocked",
    "error",
    "inapplicable",
)
FAILING: frozenset[VerdictName] = frozenset({"violates", "contradicts", "blocked", "error"})


class ClientInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A client of the run: `runner` is inprocess, local, docker or docker-run; `image` only for the last two.

    `missing` says why the client could not take part; its cells are then `inapplicable`. `column` is what cells call
    it where the run has several of its name. `program` is the path of a local program, or the folder of its packages.
    `scheme` is https where the client spoke it with an endpoint that the run else spoke http with.
    """

    name: str
    version: str
    runner: str
    image: str = ""
    missing: str = ""
    column: str = ""
    program: str = ""
    scheme: str = ""

    @property
    def label(self) -> str:
        """The column of its cells: unique in a run."""
        return self.column or self.name


class GatewayInfo(msgspec.Struct, frozen=True):
    """The product behind the endpoint, as far as the user or its answers name it."""

    name: str = "unknown"
    version: str = "unknown"


class ScenarioText(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a report prints about a scenario: paragraphs of plain text, and where the statement comes from.

    `catches` names the defects of the reference server that it is known to catch.
    """

    text: str
    source: str
    catches: list[str] = []


class Accepted(msgspec.Struct, frozen=True):
    """Why a run is a baseline: who reads it later must see what was taken for good, and for which reason.

    `at` is UTC; `run_id_before` is that of the baseline that it took the place of, or "". The numbers are of cells that
    the gate would have failed: regressed, vanished, and failing ones that were new.
    """

    reason: str
    at: str
    run_id_before: str
    regressed: int
    vanished: int
    new_failing: int


class Header(msgspec.Struct, frozen=True, tag_field="kind", tag="header"):
    """First line: what was judged, by what, with what.

    `planned` is the number of cells selected; `scenarios` carries the texts by scenario id, so that a run file
    explains itself to any later version; `seed` repeats the generated examples (`run --seed`). `trimmed` says what
    evidence was left out of a run file that was made smaller. `accepted` is there in a baseline that was accepted.
    """

    run_id: str
    started: str
    suite_version: str
    endpoint: str
    gateway: GatewayInfo
    profile: str
    clients: list[ClientInfo]
    planned: int
    scenarios: dict[str, ScenarioText]
    seed: int = 0
    trimmed: str = ""
    schema: int = SCHEMA
    accepted: Accepted | msgspec.UnsetType = msgspec.UNSET


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call of a cell, in S3's terms: enough to judge the cell again with another profile.

    `code` and `message` are S3's; `failure` says what happened instead of an answer.
    `role` is `client` for a call through the client under test, `setup` for a prerequisite and `witness` for
    the independent second look, both by raw HTTP.
    """

    operation: str
    role: Literal["client", "setup", "witness"]
    ok: bool
    status: int | None = None
    code: str = ""
    message: str = ""
    failure: str = ""
    exit_code: int | None = None
    headers: dict[str, str] = {}


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a cell, before any profile is looked at.

    `outcome`: `match` all expectations met; `mismatch` one was not; `prerequisite` a set-up step failed;
    `inexpressible` the client cannot say this; `failure` harness, program or network broke.
    `failing` indexes `steps`, or is -1.
    """

    outcome: Literal["match", "mismatch", "prerequisite", "inexpressible", "failure"]
    text: str = ""
    steps: list[Step] = []
    failing: int = -1


class Cell(msgspec.Struct, frozen=True, tag_field="kind", tag="cell"):
    """One scenario seen through one client.

    `expected` is prose; `seconds` is wall time; `requests` counts exchanges seen, of which `exchanges` keeps
    the first few; `flaky` says that a second try came to another verdict than this first one. `column` names the
    client where the run has several of its name. `passes_with` lists the settings, other than the client's defaults,
    with which it does pass. `notes` say which of several right answers was seen. `waited` is the part of `seconds`
    that the exchanges took, from first byte sent to last byte received.
    """

    scenario: str
    level: Level
    family: str
    title: str
    operations: list[str]
    client: str
    client_version: str
    verdict: VerdictName
    expected: str
    observed: Observation
    message: str
    seconds: float
    requests: int
    exchanges: list[Exchange]
    repro: dict[str, str]
    profile_entry: str | None = None
    confidence: Confidence = "recorded"
    flaky: bool = False
    column: str = ""
    passes_with: str = ""
    notes: list[str] = []
    waited: float = 0.0

    @property
    def label(self) -> str:
        """The column it stands in: that of its client."""
        return self.column or self.client

    @property
    def seen_through(self) -> str:
        """Its client with its version, as `awscli@2.23.6`."""
        return f"{self.client}@{self.client_version}"

    @property
    def gates(self) -> bool:
        """Whether a failing verdict counts: only lines with a record of real S3 behaviour gate."""
        return self.confidence == "recorded"

    @property
    def fails(self) -> bool:
        """Whether this cell alone makes the run exit 1."""
        return self.gates and self.verdict in FAILING


class Lint(msgspec.Struct, frozen=True, tag_field="kind", tag="lint"):
    """One finding of a rule that holds for every exchange; `exchange` is the first that shows it, with this client.

    `party` is to blame: the endpoint for its answers, the client or the harness for what they sent. Findings are kept
    apart from verdicts, and never gate.
    """

    rule: str
    operation: str
    client: str
    scenario: str
    message: str
    exchange: Exchange
    severity: Literal["failure", "warning"] = "failure"
    party: Literal["endpoint", "client", "harness"] = "endpoint"


FACT = "endpoint"
"""The client of what is no client's setting but a fact about the endpoint."""
UNKNOWN = "unknown"
"""The value of a setting about which nothing was found out; its observation says why."""
NOTHING = "none"
"""The value of a setting of which no value works."""
SettingKind = Literal["needed", "hopeless", "better", "fact", "unknown", "default"]
SETTING_KINDS: dict[SettingKind, str] = {
    "needed": "Needed: what the client does by default fails here",
    "hopeless": "No setting helps",
    "better": "Better: the default works, this works better",
    "fact": "Different from Amazon S3, with no setting for it",
    "unknown": "Not found out",
    "default": "Right by default",
}
"""Kinds of settings in the order in which a reader wants them, in words."""


class Setting(msgspec.Struct, frozen=True):
    """A setting of a client, and what was observed that led to it.

    `client` is FACT for a fact that no client has a setting for. `value` is UNKNOWN or NOTHING where there is none.
    `default` is what the client does unless told otherwise, for a fact what Amazon S3 does. `needed`: the default
    does not work with this endpoint.
    """

    client: str
    name: str
    value: str
    default: str
    observation: str
    needed: bool

    @property
    def kind(self) -> SettingKind:
        """Why a reader would look at it, see `SETTING_KINDS`."""
        if self.needed:
            return "needed"
        if self.value in (UNKNOWN, NOTHING):
            return "unknown" if self.value == UNKNOWN else "hopeless"
        if self.value == self.default:
            return "default"
        return "fact" if self.client == FACT else "better"


class Advice(msgspec.Struct, frozen=True, tag_field="kind", tag="advice"):
    """What clients need for the endpoint: settings, needed ones first, and texts to paste by file name."""

    settings: list[Setting]
    texts: dict[str, str]


class Footer(msgspec.Struct, frozen=True, tag_field="kind", tag="footer"):
    """Last line: verdict counts, what cleanup had to leave behind, and whether the run was cut short."""

    finished: str
    counts: dict[str, int]
    leftovers: list[str]
    interrupted: str = ""


def anonymous(header: Header) -> Header:
    """A header to keep in public: without texts of scenarios, which every suite has, and without paths of programs."""
    clients = [msgspec.structs.replace(info, program=Path(info.program).name) for info in header.clients]
    return msgspec.structs.replace(header, clients=clients, scenarios={})


Line = Header | Cell | Lint | Advice | Footer

_decoder = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


class Run(msgspec.Struct):
    """A run file read back. `footer` is None, or `footer.interrupted` set, when the run did not finish.

    `advice` is None when the endpoint was not probed.
    """

    header: Header
    cells: list[Cell]
    lints: list[Lint]
    footer: Footer | None
    path: Path
    advice: Advice | None = None

    @property
    def complete(self) -> bool:
        """Whether the run came to its end and every planned cell is there."""
        distinct = {(cell.scenario, cell.label) for cell in self.cells}
        return self.footer is not None and not self.footer.interrupted and len(distinct) >= self.header.planned

    @property
    def counts(self) -> dict[str, int]:
        """Number of cells by verdict, every verdict named, in the order of `VERDICTS`."""
        return count(self.cells)


def count(cells: Iterable[Cell]) -> dict[str, int]:
    """Number of cells by verdict, every verdict named, in the order of `VERDICTS`."""
    seen = Counter(cell.verdict for cell in cells)
    return {verdict: seen[verdict] for verdict in VERDICTS}


class RunWriter:
    """Appends lines to a run file, each with one `write` so that no reader meets half of two lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)

    def write(self, line: Line) -> None:
        """Append one line, whole or not at all.

        Raises:
            OSError: it cannot be written (a full disk); the file is as it was before.
        """
        start = os.lseek(self._fd, 0, os.SEEK_END)
        data = memoryview(_encoder.encode(line) + b"\n")
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            os.ftruncate(self._fd, start)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read(path: Path) -> Run:
    """The run in `path`, a run file or the folder that holds `run.jsonl`.

    Raises:
        RunFileError: no such file, no header, another schema, or a damaged line that is not the last.
    """
    try:
        path = path / "run.jsonl" if path.is_dir() else path
        rows = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RunFileError(f"cannot read run file {path}: {error.strerror}") from None
    schema = _schema(rows)
    if schema is None:
        raise RunFileError(f"{path} is not a run file: its first line is not a header")
    if schema != SCHEMA:
        raise RunFileError(f"{path} has schema {schema}; this version reads schema {SCHEMA}")
    header, *lines = _decoded(rows, path)
    if not isinstance(header, Header) or any(isinstance(line, Header) for line in lines):
        raise RunFileError(f"{path} holds more than one run: it has a second header")
    last = lines[-1] if lines else None
    return Run(
        header=header,
        cells=[line for line in lines if isinstance(line, Cell)],
        lints=[line for line in lines if isinstance(line, Lint)],
        footer=last if isinstance(last, Footer) else None,
        path=path,
        advice=next((line for line in lines if isinstance(line, Advice)), None),
    )


class _Opening(msgspec.Struct):
    """As much of a header as every schema has."""

    kind: Literal["header"]
    schema: int


def _schema(rows: list[bytes]) -> int | None:
    """The schema that the first line names, whatever else is new in it; None if it is no header."""
    try:
        return msgspec.json.decode(rows[0], type=_Opening).schema if len(rows) > 1 else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _decoded(rows: list[bytes], path: Path) -> Iterable[Line]:
    """Each line decoded; what a kill left of the last one is dropped (a whole file ends with a newline)."""
    for number, row in enumerate(rows[:-1], 1):
        try:
            yield _decoder.decode(row)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RunFileError(f"{path}, line {number}: {error}") from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema that every line of a run file obeys."""
    return msgspec.json.schema(Line)
