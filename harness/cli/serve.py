"""`s3conform serve`: start the bundled reference server."""

from __future__ import annotations

import os

import click

from harness.offline import COMMAND


@click.command(
    "serve",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    short_help="Start the bundled reference server.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Start the bundled reference server; `s3conform serve --help` prints its own options."""
    # The harness knows nothing of the server's code: the server takes this process over.
    os.execv(COMMAND[0], [*COMMAND, *arguments])  # noqa: S606 - no shell is wanted
