"""The command line: one module per verb, imported when it is used, so that every start is quick."""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType

import click

from harness import __version__
from harness.errors import INCOMPLETE, INTERRUPTED, S3ConformError

VERBS = ("run", "serve", "scenarios", "report", "gate", "cleanup")


class _Verbs(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"harness.cli.{cmd_name}").command
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="s3conform")
def cli() -> None:
    """Tell the truth about S3 compatibility: real clients against any endpoint, every answer judged."""


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _line(error: Exception) -> str:
    """What went wrong in one line of what can be seen; parts of it may be the endpoint's words."""
    return " ".join("".join(char if char.isprintable() else " " for char in str(error)).split())


def main() -> None:
    """Run a verb; what a user can cause ends in one line on standard error and its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = cli.main(prog_name="s3conform", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except S3ConformError as error:
        click.echo(f"s3conform: {_line(error)}", err=True)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("s3conform: interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0
    except OSError as error:
        click.echo(f"s3conform: {_line(error)}", err=True)
        code = INCOMPLETE
    sys.exit(code or 0)
