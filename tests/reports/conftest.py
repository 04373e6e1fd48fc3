"""Made-up runs: every verdict, every kind of evidence, and text that tries to break out of a report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.record import (
    VERDICTS,
    Cell,
    ClientInfo,
    Footer,
    GatewayInfo,
    Header,
    Lint,
    Observation,
    Run,
    ScenarioText,
    Step,
    count,
)
from harness.wire.exchange import Body, Exchange

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'><svg/onload=alert(3)>",
    "{{ 7*7 }} {% raw %}",
    "[red]tint[/red] [link=http://evil.example]x[/link]",
    "\x1b[2J\x1b]0;owned\x07",
    "abc\u202edcba\u2066\u200b",
    "]]> <!-- <![CDATA[ &lt; &#0;",
    "a|b `c` **d** [e](http://evil.example) ![f](http://evil.example/i.png) @everyone #1",
    "nul\x00 vt\x0b del\x7f nel\x85 bom\ufeff nonchar\uffff lone\ud800",
    "line one\r\nline two\u2028line three",
    "style=x:expression(1) javascript:alert(4)",
)


def make_exchange(text: str = "", **changes: Any) -> Exchange:
    """A PUT that was refused; `text` appears wherever an endpoint or client has a say."""
    fields: dict[str, Any] = {
        "method": "PUT",
        "url": f"http://127.0.0.1:9000/bucket/key?x-id=PutObject{text}",
        "request_headers": [("Host", "127.0.0.1:9000"), ("x-amz-meta-note", f"n{text}")],
        "request_body": Body(size=70000, text=f"body{text}", truncated=True),
        "status": 501,
        "reason": f"Not Implemented{text}",
        "response_headers": [("Server", f"gateway{text}"), (f"x-odd{text}", "1")],
        "response_body": Body(size=30, text=f"<Error><Code>NotImplemented{text}</Code></Error>"),
        "seconds": 0.004,
    }
    return Exchange(**(fields | changes))


def make_cell(
    number: int = 1, client: str = "boto3", verdict: str = "conforms", text: str = "", **changes: Any
) -> Cell:
    """A cell of scenario `ETAG-00<number>`."""
    step = Step(
        "PutObject", "client", verdict == "conforms", 501, f"Code{text}", f"said{text}", "", 1, {f"h{text}": text}
    )
    fields: dict[str, Any] = {
        "scenario": f"ETAG-{number:03}",
        "level": "MUST",
        "family": "ETAG",
        "title": f"the ETag is the MD5 of the bytes{text}",
        "operations": ["PutObject", "HeadObject"],
        "client": client,
        "client_version": "1.2.3",
        "verdict": verdict,
        "expected": f"200 and an ETag{text}",
        "observed": Observation("mismatch", f"501 NotImplemented{text}", [step], 0),
        "message": "" if verdict == "conforms" else f"wanted 200, got 501{text}",
        "seconds": 0.25,
        "requests": 3,
        "exchanges": [make_exchange(text)],
        "repro": {
            "curl": f"curl -X PUT http://127.0.0.1:9000/bucket/key{text}",
            "boto3": f"s3.put_object(){text}",
        },
        "profile_entry": f"entry: not offered{text}" if verdict in {"unsupported", "deviates"} else None,
    }
    return Cell(**(fields | changes))


def make_run(cells: list[Cell] | None = None, text: str = "", *, finished: bool = True, **changes: Any) -> Run:
    """A run of `cells`, by default one cell a verdict through each of three clients."""
    if cells is None:
        cells = [
            make_cell(number, client, verdict, text, level=("MUST", "SHOULD", "EXTENDED")[number % 3])
            for number, verdict in enumerate(VERDICTS)
            for client in ("boto3", "raw", "rclone")
        ]
    header: dict[str, Any] = {
        "run_id": "20250102-abc",
        "started": "2025-01-02T03:04:05Z",
        "suite_version": "0.1.0",
        "endpoint": f"http://127.0.0.1:9000{text}",
        "gateway": GatewayInfo(f"Example Gateway{text}", "4.2"),
        "profile": f"example{text}",
        "clients": [
            ClientInfo("boto3", "1.2.3", "inprocess"),
            ClientInfo("raw", "0.1.0", "inprocess"),
            ClientInfo("rclone", f"1.75.2{text}", "docker", "rclone/rclone:1.75.2"),
            ClientInfo("awscli", "unknown", "local", missing=f"not on PATH{text}"),
        ],
        "planned": len(cells),
        "scenarios": {cell.scenario: ScenarioText(f"Why.\n\nHow.{text}", f"DOC page{text}") for cell in cells},
    }
    lint = Lint("LINT-001", "PutObject", "raw", "ETAG-001", f"no Date header{text}", make_exchange(text))
    footer = Footer("2025-01-02T03:05:05Z", count(cells), [f"s3c-left-behind{text}"])
    return Run(Header(**(header | changes)), cells, [lint, lint], footer if finished else None, Path("run.jsonl"))


@pytest.fixture(scope="session")
def cell_of() -> Callable[..., Cell]:
    """`make_cell`."""
    return make_cell


@pytest.fixture(scope="session")
def run_of() -> Callable[..., Run]:
    """`make_run`."""
    return make_run


@pytest.fixture(params=HOSTILE, ids=[f"hostile{number}" for number in range(len(HOSTILE))])
def hostile(request: pytest.FixtureRequest) -> str:
    """One text after another that tries to break out."""
    return str(request.param)
