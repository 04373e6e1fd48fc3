"""The command line: one module per verb, imported when it is used, so that every start is quick."""

from __future__ import annotations

import errno
import importlib
import signal
import sys
from types import FrameType

import click

from harness import __version__
from harness.cli.output import lasting
from harness.errors import INCOMPLETE, INTERRUPTED, OK, USAGE, S3ConformError, unknown

VERBS = ("run", "probe", "serve", "scenarios", "explain", "report", "compare", "gate", "site", "profile", "cleanup")

_EPILOG = """\
\b
First steps:
  s3conform run                  try it: judge the bundled server, offline
  s3conform run --endpoint URL   judge yours; credentials come from
                                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
  s3conform VERB --help          options and examples of a verb
"""


class _Verbs(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        if cmd_name not in VERBS:
            raise unknown("verb", cmd_name, VERBS)
        command: click.Command = importlib.import_module(f"harness.cli.{cmd_name}").command
        return command


@click.group(
    cls=_Verbs,
    invoke_without_command=True,
    subcommand_metavar="VERB …",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="s3conform")
@click.pass_context
def cli(context: click.Context) -> int | None:
    """How S3-compatible is an endpoint, as the clients that people use see it?

    Drives boto3, raw HTTP, rclone and the AWS CLI against any endpoint, judges every answer, and writes a report.
    """
    if context.invoked_subcommand is not None:
        return None
    click.echo(context.get_help(), err=True)
    return USAGE


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _line(text: str) -> str:
    """What went wrong in one line of what can be seen; parts of it may be the endpoint's words."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _help_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" (try '{context.command_path} --help')" if context is not None else ""


def _what_failed(error: OSError) -> str:
    return ": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error)


def _call() -> int | None:
    """Run the verb that the arguments name; what a user can cause ends in one line and its exit code.

    None is the answer of a verb whose output is all that comes of it.
    """
    try:
        code: int | None = cli.main(prog_name="s3conform", standalone_mode=False)
    except click.ClickException as error:
        text, code = f"{error.format_message()}{_help_hint(error)}", error.exit_code
    except S3ConformError as error:
        text, code = str(error), error.exit_code
    except (KeyboardInterrupt, click.Abort):
        text, code = "interrupted", INTERRUPTED
    except OSError as error:
        text, code = _what_failed(error), INCOMPLETE
    else:
        return code
    click.echo(f"s3conform: {_line(text)}", err=True)
    return code


def main() -> None:
    """Run a verb. Where nobody takes its output (a closed pipe, a full disk), its exit code is still what it found."""
    signal.signal(signal.SIGTERM, _terminated)
    with lasting() as out:
        code = _call()
        sys.stdout.flush()
        if code is None and out.lost is not None and out.lost.errno != errno.EPIPE:
            click.echo(f"s3conform: cannot write to standard output: {out.lost.strerror}", err=True)
            code = INCOMPLETE
    sys.exit(code or OK)
