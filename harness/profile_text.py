"""Where in a TOML file a mistake stands, and what was perhaps meant: what a typed reader says of data, for people."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

_AT = re.compile(r" - at `(?:key in )?\$(.*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z")
_CHOICE = re.compile(r"Invalid enum value '?(.*?)'?\Z")
_MISSING = re.compile(r"Object missing required field `(.*)`\Z")
_HEADER = re.compile(r"\s*\[")


def explained(message: str, text: str, data: Mapping[str, Any], model: type[msgspec.Struct]) -> str:
    """`, line N: MESSAGE at PLACE`, with the nearest valid word where the mistake is a word.

    Args:
        message: what msgspec says of the data, with the path of what is wrong at its end.
        text: the TOML that the data came from.
        data: that data.
        model: what it should be.
    """
    at = _AT.search(message)
    what = message[: at.start()] if at else message
    path = [name or index for name, index in _STEP.findall(at[1])] if at else []
    expected = _expected(model, path)
    if "..." in path[1:2]:
        path[1:] = _named(data[path[0]], typing.get_type_hints(model)[path[0]], path[1:])
    field, choice, missing = _UNKNOWN.search(what), _CHOICE.search(what), _MISSING.search(what)
    word, valid = "", list[str]()
    if field:
        word, valid = field[1], [one.encode_name for one in getattr(expected, "fields", ())]
    elif choice:
        word, valid = choice[1], [str(value) for value in getattr(expected, "values", ())]
    elif path and not missing:
        word = next((step for step in reversed(path) if step.isidentifier()), "")
    near = difflib.get_close_matches(word, valid, 1, 0.4)
    hint = f"; did you mean {near[0]!r}?" if near else (f"; valid: {', '.join(valid)}" if valid else "")
    place = f" at {'.'.join(path)}" if path else ""
    return f", line {_line(text, path, word)}: {what}{place}{hint}"


def _expected(model: type[msgspec.Struct], path: Sequence[str]) -> Any:
    """The type, as msgspec describes it, of what stands at a path."""
    found: Any = msgspec.inspect.type_info(model)
    for step in path:
        found = _inner(found, step)
    return next(_plain(found), found)


def _inner(found: Any, step: str) -> Any:
    for one in _plain(found):
        if isinstance(one, msgspec.inspect.StructType):
            return next((field.type for field in one.fields if field.encode_name == step), None)
        if isinstance(one, msgspec.inspect.DictType):
            return one.value_type
        if isinstance(one, msgspec.inspect.ListType):
            return one.item_type
    return None


def _plain(found: Any) -> Iterator[Any]:
    """A type, or those of a union but for None."""
    for one in found.types if isinstance(found, msgspec.inspect.UnionType) else [found]:
        if not isinstance(one, msgspec.inspect.NoneType):
            yield one


def _named(table: Mapping[str, Any], model: Any, path: Sequence[str]) -> list[str]:
    """The path with the first key whose value is wrong for each `...`; msgspec does not tell which key of a table."""
    value = typing.get_args(model)[1]
    name = next((key for key in table if _is_wrong(table[key], value)), "")
    rest = path[1:]
    return [name, *(_named(table[name], value, rest) if "..." in rest[:1] and name else rest)]


def _is_wrong(data: Any, model: Any) -> bool:
    try:
        msgspec.convert(data, model)
    except msgspec.ValidationError:
        return True
    return False


def _line(text: str, path: Sequence[str], word: str) -> int:
    """The number of the line with a word, as a name or a value, in the table that a path leads into; from 1."""
    lines = text.splitlines()
    start, end = _table(lines, path)
    wanted = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])") if word else None
    found = (number for number in range(start, end) if wanted is not None and wanted.search(lines[number]))
    return next(found, start) + 1


def _table(lines: Sequence[str], path: Sequence[str]) -> tuple[int, int]:
    """The first line of the table that a path leads into, and the line behind its last one; from 0."""
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    name = re.escape(path[0]) if path else ""
    if len(path) > 1 and path[1].isdigit():
        found = [number for number in headers if re.match(rf"\s*\[\[\s*{name}\s*\]\]", lines[number])]
        begin = found[int(path[1])] if int(path[1]) < len(found) else None
    else:
        inner = rf"\s*\.\s*[\"']?{re.escape(path[1])}[\"']?" if len(path) > 1 else ""
        found = [number for number in headers if re.match(rf"\s*\[\s*{name}{inner}\s*(\]|\.)", lines[number])]
        found = found or [number for number in headers if re.match(rf"\s*\[\s*{name}\s*\]", lines[number])]
        begin = found[0] if found and path else None
    if begin is None:
        return 0, len(lines)
    return begin, next((number for number in headers if number > begin), len(lines))
