"""Errors a user can cause, each with the exit code that the command line promises.

The story of a run, and what each step may raise:

    options, profile, selection   -> UsageError        exit 2
    first contact with endpoint   -> EndpointError     exit 3
    a bucket that is not there    -> UsageError        exit 2
    nothing left to check         -> NothingChecked    exit 4
    a run file that cannot serve  -> RunFileError      exit 4

Every one is shown as a single line: what, where, what to do. Inside a cell other signals apply
(`harness.signals`); they become verdicts, never exits.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

OK = 0
VIOLATIONS = 1
USAGE = 2
UNREACHABLE = 3
INCOMPLETE = 4
INTERRUPTED = 130

_NAMED = 60
"""Valid names that a message lists where none is near: all families, not all scenarios."""


class S3ConformError(Exception):
    """A failure with one clear line for the user and the exit code it ends the program with."""

    exit_code = USAGE


class UsageError(S3ConformError):
    """An option, name or file that cannot be used as given."""

    exit_code = USAGE


class EndpointError(S3ConformError):
    """The endpoint cannot be reached, does not speak S3, or refuses the credentials."""

    exit_code = UNREACHABLE


class NothingChecked(S3ConformError):
    """The selection leaves no cell to run."""

    exit_code = INCOMPLETE


class RunFileError(S3ConformError):
    """A run file that is missing, unreadable, or of another schema."""

    exit_code = INCOMPLETE


def unknown(what: str, name: str, valid: Iterable[str]) -> UsageError:
    """A usage error for `name` that offers the nearest of the `valid` names."""
    choices = sorted(valid)
    close = difflib.get_close_matches(name.lower(), [c.lower() for c in choices], n=1, cutoff=0.4)
    nearest = next((c for c in choices if close and c.lower() == close[0]), None)
    some = ", ".join(choices[:_NAMED]) + (f" and {len(choices) - _NAMED} more" if len(choices) > _NAMED else "")
    hint = f"did you mean {nearest!r}?" if nearest else f"valid: {some}"
    return UsageError(f"unknown {what} {name!r}: {hint}")
