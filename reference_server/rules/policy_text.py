"""Text in policies: one string or a list of them, wildcards, and policy variables.

Source: IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from reference_server.errors import S3Error

#: Condition keys of a request, in lower case, with one value or several.
Context = Mapping[str, str | tuple[str, ...]]


class Wild(Enum):
    """A wildcard: any run of characters, or any single one."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True)
class Variable:
    """`${key}` or `${key, 'default'}`; the key in lower case."""

    key: str
    default: str | None


Pattern = tuple[str | Wild | Variable, ...]
#: A pattern whose variables have been replaced.
Plain = tuple[str | Wild, ...]

_WITH_VARIABLES = re.compile(r"([*?])|([^*?$]+|\$(?!\{[^}]*\}))|\$\{([^}]*)\}")
_WITHOUT_VARIABLES = re.compile(r"([*?])|([^*?]+)")
_DEFAULTED = re.compile(r"([^,]*),\s*'(.*)'\s*\Z", re.DOTALL)


def names(text: str) -> frozenset[str]:
    """A table of names, given as one text with white space between them."""
    return frozenset(text.split())


def malformed(message: str) -> S3Error:
    """400 MalformedPolicy."""
    return S3Error("MalformedPolicy", message)


def strings(value: object) -> tuple[str, ...] | None:
    """A string or a list of them as a tuple; None for anything else, and for an empty list."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def wildcards(text: str) -> Plain:
    """Take a pattern apart that has no variables."""
    return tuple(Wild(wild) if wild else run for wild, run in _WITHOUT_VARIABLES.findall(text))


def parse_pattern(text: str, *, variables: bool) -> Pattern:
    """Take a pattern apart.

    Args:
        text: as written in the policy.
        variables: whether `${...}` means something; it does in version 2012-10-17 only.
    """
    if not variables:
        return wildcards(text)
    return tuple(
        Wild(wild) if wild else run or _variable(inside) for wild, run, inside in _WITH_VARIABLES.findall(text)
    )


def _variable(inside: str) -> str | Variable:
    if inside in ("*", "?", "$"):  # how a policy writes these characters themselves
        return inside
    defaulted = _DEFAULTED.match(inside)
    key, default = defaulted.groups() if defaulted else (inside, None)
    return Variable(key.strip().lower(), default)


def resolve(pattern: Pattern, context: Context) -> Plain | None:
    """Replace the variables; None if the request has no single value for one that has no default."""
    plain: list[str | Wild] = []
    for token in pattern:
        if isinstance(token, Variable):
            value = context.get(token.key)
            found = value if isinstance(value, str) else token.default
            if found is None:
                return None
            plain.append(found)
        else:
            plain.append(token)
    return tuple(plain)


def widest(pattern: Pattern) -> Plain:
    """The pattern with every variable as a wildcard: it matches whatever some request could make it match."""
    return tuple(Wild.MANY if isinstance(token, Variable) else token for token in pattern)


def text_of(plain: Plain) -> str:
    """A pattern where wildcards have no meaning: the characters themselves."""
    return "".join(token.value if isinstance(token, Wild) else token for token in plain)


def matches(plain: Plain, text: str) -> bool:
    """Whether the whole text fits the pattern; case counts."""
    return _expression(plain).match(text) is not None


@lru_cache(maxsize=256)
def _expression(plain: Plain) -> re.Pattern[str]:
    chunks = [""]
    for token in plain:
        if token is Wild.MANY:
            chunks.append("")
        else:
            chunks[-1] += "." if token is Wild.ONE else re.escape(str(token))
    first, *rest = chunks
    if not rest:
        return re.compile(first + r"\Z", re.DOTALL)
    *middle, last = rest
    # Chunks have fixed lengths, so the first place where one fits is as good as any: atomic groups keep
    # the time within length times length for hostile patterns too.
    inner = "".join(f"(?>.*?{chunk})" for chunk in middle)
    return re.compile(f"{first}{inner}.*{last}\\Z", re.DOTALL)
