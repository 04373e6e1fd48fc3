"""`s3conform probe`: what an endpoint supports, and the client settings it needs."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness import nearest, run
from harness.cli.options import endpoint_options, make_endpoint, writing
from harness.clients.raw import RawClient
from harness.config import Endpoint, check_bucket
from harness.errors import INCOMPLETE, OK
from harness.nearest import Fit
from harness.probe import Finding, advise, survey
from harness.probe.knobs import BY_NAME
from harness.profile import STANDARD
from harness.record import FACT, SETTING_KINDS, UNKNOWN, Advice, Setting, SettingKind
from harness.sandbox import NAME, JournalHead, Sandbox, append, cleanup
from harness.wire.curl import curl

if TYPE_CHECKING:
    from rich.console import Console

_CLEANUP_SECONDS = 60.0
_EPILOG = """\
\b
Examples:
  s3conform probe --endpoint http://127.0.0.1:9000
      which settings rclone, AWS CLI, boto3 and the JavaScript SDK need
  s3conform probe --endpoint URL --bucket my-bucket
      only below a prefix of an existing bucket
  s3conform probe --endpoint URL --out settings
      write rclone.conf, provider.yaml, aws-config, boto3.py, client.mjs

\b
Exit codes:
  0    settings were found
  2    usage or configuration
  3    endpoint unreachable, no S3 endpoint, or credentials refused
  4    most could not be found out; the output says why
  130  interrupted
"""


@click.command("probe", short_help="Find the client settings that an endpoint needs.", epilog=_EPILOG)
@click.option("--endpoint", required=True, metavar="URL", help="Endpoint to probe.")
@endpoint_options
@click.option("--bucket", default="", metavar="NAME",
              help="Use only this existing bucket, below a prefix of its own.")  # fmt: skip
@click.option("--all", "whole", is_flag=True, help="Show settings that are right by default too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the requests behind each finding.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="DIR",
              help="Write the texts to paste into this folder.")  # fmt: skip
def command(endpoint: str, bucket: str, whole: bool, as_json: bool, out: Path | None, **options: Any) -> int:
    """Find out in seconds what an endpoint supports, and which settings clients need for it.

    About two hundred signed requests in buckets named s3conform-…, which are removed again. No client program is
    needed.
    """
    place = make_endpoint(endpoint, options)
    if bucket:
        check_bucket(bucket, place.addressing)
    if out is not None:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
    run_id = run.new_run_id()
    run.contact(place, bucket, f"{NAME}-{run_id}/")
    with _sandbox(place, run_id, bucket) as (sandbox, folder):
        findings = survey(place, sandbox)
        alike = nearest.look(place, run_id, folder, bucket)
    advice = advise(place, findings)
    if out is not None:
        with writing(out):
            for name, text in advice.texts.items():
                (out / name).write_text(text, encoding="utf-8")
    if as_json:
        click.echo(
            msgspec.json.format(msgspec.json.encode(_document(place, findings, advice, alike)), indent=1).decode()
        )
    else:
        _show(place, advice, alike, whole=whole, written=out)
    known = sum(finding.value != UNKNOWN for finding in findings)
    return OK if 2 * known > len(findings) else INCOMPLETE


@contextmanager
def _sandbox(place: Endpoint, run_id: str, bucket: str) -> Iterator[tuple[Sandbox, Path]]:
    """Buckets for the block, and the folder of their journal; what cannot be removed afterwards is said."""
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}-probe-"))
    journal = folder / "journal.jsonl"
    append(journal, JournalHead(run_id, place.url, place.region, place.addressing))
    witness = RawClient(place)
    leftovers = ["interrupted"]
    try:
        try:
            yield Sandbox(run_id, "probe", witness, journal, bucket), folder
        finally:
            leftovers = cleanup(journal, witness, _CLEANUP_SECONDS)
    finally:
        witness.close()
        if leftovers:
            _left(leftovers, place, journal)
        else:
            shutil.rmtree(folder)


def _left(leftovers: list[str], place: Endpoint, journal: Path) -> None:
    from reports.text import one_line

    for line in leftovers:
        click.echo(f"left behind: {one_line(run.shown(line, place))}", err=True)
    click.echo(f"s3conform cleanup {journal} removes it", err=True)


def _document(place: Endpoint, findings: list[Finding], advice: Advice, known: list[Fit]) -> dict[str, Any]:
    return {
        "endpoint": place.url,
        "findings": [
            {
                "knob": finding.knob,
                "about": BY_NAME[finding.knob].about,
                "value": finding.value,
                "standard": BY_NAME[finding.knob].standard,
                "works": finding.working,
                "observation": finding.observation,
                "requests": [curl(exchange, place.region) for exchange in finding.exchanges],
            }
            for finding in findings
        ],
        "nearest": [fit._asdict() for fit in known],
        "settings": advice.settings,
        "texts": advice.texts,
    }


_STYLES: dict[SettingKind, str] = {"needed": "bold red", "hopeless": "red", "unknown": "dim", "default": "dim"}


def _show(place: Endpoint, advice: Advice, known: list[Fit], *, whole: bool, written: Path | None) -> None:
    """Settings by kind, each with what led to it; then the texts."""
    from rich.console import Console
    from rich.text import Text

    from reports.text import one_line, visible

    console = Console(highlight=False)
    console.print(Text(f"What clients need for {one_line(place.url)}", "bold"))
    console.print(Text(f"\n{_likeness(known)}"))
    for kind, words in SETTING_KINDS.items():
        settings = [setting for setting in advice.settings if setting.kind == kind]
        if kind == "default" and not whole:
            console.print(Text(f"\n{len(settings)} more are right by default; --all shows them.", "dim"))
        elif settings:
            console.print(Text(f"\n{words}", "bold"))
            _table(settings, console)
    if written is not None:
        click.echo(f"\nWritten to {written}: {', '.join(advice.texts)}")
        return
    for name, text in advice.texts.items():
        click.echo(f"\n--- {name}\n{visible(text)}", nl=False)


def _likeness(known: list[Fit]) -> str:
    """The known gateway that it behaves like, and how far it is from Amazon S3."""
    best, standard = known[0], next(fit for fit in known if fit.profile == STANDARD)
    if not best.judged:
        return "Which known gateway it is like could not be found out."
    if best is standard:
        differing = f" ({best.failing} of {best.judged} telling scenarios differ)" if best.failing else ""
        return f"Behaves most like {best.title}{differing}: judge it with --profile {best.profile}."
    return (
        f"Behaves most like {best.title}: of {best.judged} telling scenarios {best.failing} differ from what that "
        f"documents, {standard.failing} from Amazon S3. Judge it with --profile {best.profile}."
    )


def _table(settings: list[Setting], console: Console) -> None:
    """Two columns; settings that rest on the same observation are one row."""
    from rich.table import Table
    from rich.text import Text

    from reports.text import one_line

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 3, 0, 0))
    table.add_column(overflow="fold", max_width=52)
    table.add_column(overflow="fold")
    for because, group in itertools.groupby(settings, key=lambda one: one.observation):
        names = [_said(setting) for setting in group]
        table.add_row(Text("\n".join(map(one_line, names)), _STYLES.get(settings[0].kind, "")), Text(one_line(because)))
    console.print(table)


def _said(setting: Setting) -> str:
    words = f"{setting.name} = {setting.value}"
    return words if setting.client == FACT else f"{setting.client} {words}"
