"""`s3conform explain`: what a scenario states, why, how it looks on the wire, and what it is known to catch."""

from __future__ import annotations

import textwrap
from tempfile import TemporaryDirectory

import click

from harness import lint, offline, profile, proofs, run, scenario
from harness.cell import CellRunner
from harness.clients import INPROCESS, choice
from harness.config import Endpoint, RunConfig
from harness.errors import unknown
from harness.record import Cell, ClientInfo
from harness.sandbox import JournalHead, append
from harness.scenario import Scenario
from harness.wire.curl import curl
from harness.wire.exchange import Body, Headers

_WIDTH = 100
_BODY = 1200
"""Characters of a body that are shown."""

_EPILOG = """\
\b
Examples:
  s3conform explain ETAG-012
  s3conform explain LST2          every scenario of a family, no exchanges
  s3conform explain LINT-011      a rule that holds for every exchange
"""


@click.command("explain", short_help="Explain a scenario.", epilog=_EPILOG)
@click.argument("name", metavar="ID|FAMILY|RULE")
def command(name: str) -> None:
    """Explain a scenario: the statement, its source, an example exchange, and the defects it is known to catch.

    The example is a real one: the scenario is run against the bundled server.
    """
    registry = scenario.load()
    name = name.upper()
    families = {found.family for found in registry.values()}
    if name in families:
        for found in scenario.select(registry, families=[name], features=[one.feature for one in registry.values()]):
            click.echo(_statement(found) + "\n")
        return
    if name in lint.RULES:
        click.echo(_rule(lint.RULES[name]))
        return
    if name not in registry:
        raise unknown("scenario", name, {*registry, *families, *lint.RULES})
    found = registry[name]
    click.echo(_statement(found))
    click.echo(_example(found))
    click.echo(_caught(found))


def _statement(found: Scenario) -> str:
    """Heading, text, source and clients of a scenario."""
    standing = "" if found.confidence == "recorded" else f" · {found.confidence}: shown, never gates"
    lines = [f"{found.id} · {found.level} · {', '.join(found.operations)}{standing}", "", *_wrapped(found.title), ""]
    for paragraph in found.text.text.split("\n\n"):
        lines += [*_wrapped(" ".join(paragraph.split())), ""]
    lines += _wrapped(f"Source: {found.source}")
    return "\n".join([*lines, *_wrapped(f"Clients: {', '.join(found.clients)}")])


def _rule(rule: lint.Rule) -> str:
    """Heading, text and source of a rule that holds for every exchange."""
    lines = [f"{rule.id} · every exchange", "", *_wrapped(rule.title), ""]
    for what, text in (("Failure", rule.failure), ("Warning", rule.warning), ("Elsewhere", rule.elsewhere)):
        lines += [*_wrapped(f"{what}: {text}"), ""] if text else []
    return "\n".join([*lines, *_wrapped(f"Source: {rule.source}")])


def _caught(found: Scenario) -> str:
    """The defects that the scenario is known to turn red on."""
    if found.feature:
        text = f"It is about {found.feature}, which S3 does not have: a server that is S3 and no more turns it red."
        return "\n".join(_wrapped(text))
    killers = proofs.caught().get(found.id, [])
    if not killers:
        return "Catches: no defect is known that it catches."
    about = proofs.read().defects
    lines = [f"Catches {len(killers)} known defect{'s' if len(killers) > 1 else ''}:"]
    for name in killers:
        lines += _wrapped(f"{name}: {about[name].about}", "  ", "    ")
    return "\n".join(lines)


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _example(found: Scenario) -> str:
    """The exchange that the scenario ends with against the bundled server, and a command that sends it again.

    Of a scenario with very many exchanges it is one of the first, since no more of them are kept.
    """
    from reports.text import visible  # bodies may hold any byte

    info = _client(found)
    if info is None:
        return f"\nNo example: none of {', '.join(found.clients)} is installed.\n"
    cell, region = _run(found, info)
    if cell.verdict != "conforms" or not cell.exchanges:
        return f"\nNo example from {info.name}: {cell.message or cell.verdict}.\n"
    last = next((one for one in reversed(cell.exchanges) if curl(one, region) == cell.repro.get("curl")), None)
    shown, which = (last, "the last") if last is not None else (cell.exchanges[-1], "one of them")
    commands = cell.repro if last is not None else {"curl": curl(shown, region)}
    lines = [f"\nExample, {info.name} against the bundled server ({cell.requests} requests in all, this is {which}):"]
    path = shown.url.split("/", 3)[-1]
    lines += [f"  > {shown.method} /{path} HTTP/1.1", *_headers(">", shown.request_headers)]
    lines += _body(">", shown.request_body)
    lines += [f"  < HTTP/1.1 {shown.status} {shown.reason}", *_headers("<", shown.response_headers)]
    lines += _body("<", shown.response_body)
    return visible("\n".join([*lines, "", *(f"{name}: {text}" for name, text in commands.items()), ""]))


def _headers(mark: str, headers: Headers) -> list[str]:
    return [f"  {mark} {name}: {value}" for name, value in headers] + [f"  {mark}"]


def _body(mark: str, body: Body) -> list[str]:
    if not body.size:
        return []
    text = body.text if len(body.text) <= _BODY else body.text[:_BODY] + "…"
    return [f"  {mark} {line}" for line in text.split("\n")] + [f"  {mark}"]


def _client(found: Scenario) -> ClientInfo | None:
    """The first client of this machine that the scenario can be seen through; libraries first."""
    names = sorted(found.clients, key=lambda name: name not in INPROCESS)
    infos = (choice.choose([name], [], "local", lambda _: None)[0] for name in names)
    return next((info for info in infos if not info.missing), None)


def _profile(feature: str) -> profile.Profile:
    """That of the standard, or else of the first gateway that has a feature."""
    names = [profile.STANDARD, *profile.names()]
    return next(one for one in map(profile.load, names) if not feature or feature in one.features)


def _run(found: Scenario, info: ClientInfo) -> tuple[Cell, str]:
    """The cell against a bundled server of its own, and the region."""
    first, second, temporary = offline.invented()
    documented = _profile(found.feature)
    arguments = [*offline.accounts(first, temporary, second), "--personality", documented.name]
    with offline.reference_server(*arguments) as ready, TemporaryDirectory() as folder:
        url, website = offline.by_name(ready.endpoint)
        endpoint = Endpoint(
            url,
            first,
            ready.region,
            second=second,
            temporary=temporary,
            website=website,
            legacy=ready.legacy_object,
            follow=documented.follow,
        )
        config = RunConfig(run.new_run_id(), endpoint, documented.name, [info], [found.id], folder, seed=1)
        append(
            config.journal,
            JournalHead(config.run_id, url, ready.region, "path", documented.implicit),
        )
        cells = CellRunner(config, documented, "w0")
        try:
            return cells.attempt(found, info.label), ready.region
        finally:
            cells.close()
