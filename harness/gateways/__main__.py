"""`python -m harness.gateways NAME… [-- RUN OPTIONS]`: start, judge and stop real gateways. See docs/gateways.md."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from harness.errors import INTERRUPTED, OK, VIOLATIONS, S3ConformError, UsageError
from harness.gateways import container
from harness.gateways import description as descriptions
from harness.gateways import install as packages
from harness.gateways.description import Gateway
from harness.gateways.judge import About, judge
from harness.gateways.process import safe

_OURS = ("--endpoint", "--out", "--access-key", "--secret-key")


def main(words: list[str]) -> int:
    """Judge the gateways that are named.

    Returns:
        0 when all were judged, whatever came of it unless it was held to a baseline; otherwise the highest exit code of
        a run, or of a failure.
    """
    before, options = _parted(words)
    asked = _parser().parse_args(before)
    if asked.list:
        for name in descriptions.names():
            click.echo(_line(descriptions.load(name)))
        return OK
    gateways = [descriptions.load(name) for name in asked.names]
    if not gateways:
        raise UsageError(f"no gateway is named; there are {', '.join(descriptions.names())}")
    wrong = next((word for word in options if word.partition("=")[0] in _OURS), None)
    if wrong is not None:
        raise UsageError(f"{wrong} is not for the run: the gateway's description and --out before the -- say it")
    codes = [_judged(gateway, asked, options) for gateway in gateways]
    return max(codes)


def _judged(gateway: Gateway, asked: argparse.Namespace, options: list[str]) -> int:
    """Judge one gateway, and say what came of it."""
    out = asked.out / gateway.name
    try:
        about = judge(gateway, asked.prefer, out, options, _tell, apt=asked.apt)
    except S3ConformError as error:
        _tell(safe(str(error)))
        return error.exit_code
    if about.exit_code == INTERRUPTED:
        raise KeyboardInterrupt
    _tell(_told(about, out))
    held = any(word.startswith("--baseline") for word in options)
    return OK if about.exit_code == VIOLATIONS and not held else about.exit_code


def _told(about: About, out: Path) -> str:
    restarted = f", started again {about.restarts} times" if about.restarts else ""
    return (
        f"{about.name}: {about.title} {about.version}{restarted}; its run ended with exit code {about.exit_code}: {out}"
    )


def _line(gateway: Gateway) -> str:
    """A line of the list: what a gateway is, and how it can be had here."""
    lacking = packages.missing(gateway), container.missing(gateway)
    ways = [name for name, reason in zip(("package", "image"), lacking, strict=True) if not reason]
    return f"{gateway.name:16} {gateway.title:28} {' or '.join(ways) or f'not here: {lacking[0]}; {lacking[1]}'}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m harness.gateways",
        description="Install, start, judge and stop real gateways, each as fixtures/gateways describes it.",
        epilog="What follows after -- goes to s3conform run, as -- --clients raw,boto3 --family PUT.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME|FILE", help="a known gateway, or a description of one")
    parser.add_argument("--list", action="store_true", help="say which there are, and how they can be had here")
    parser.add_argument("--prefer", choices=("package", "image"), default="package", help="default: package")
    parser.add_argument("--apt", action="store_true", help="install missing Debian packages for the whole machine")
    parser.add_argument(
        "--out", type=Path, default=Path("reports/gateways"), help="each has a folder here (default: reports/gateways)"
    )
    return parser


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """What is for this command, and what follows after `--` and is for the run."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


def _tell(text: str) -> None:
    click.echo(f"gateways: {text}", err=True)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(main(sys.argv[1:]))
    except S3ConformError as failure:
        _tell(safe(str(failure)))
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        _tell("interrupted")
        sys.exit(INTERRUPTED)
