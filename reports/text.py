"""Text that an endpoint or a client sent, made safe to show: what cannot be seen becomes an escape.

Every writer passes every string through `visible` before it escapes for its own format. Afterwards a text
holds no control character (an ANSI sequence dies with its ESC), no bidi override, no invisible format
character, no lone surrogate and nothing that XML 1.0 cannot carry.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_KEPT = frozenset("\n\t")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def visible(text: str) -> str:
    r"""`text` with each unseen character but newline and tab written out, as `\x1b` or `[U+202E]`.

    Unseen are the Unicode categories Cc, Cf, Cs, Zl and Zp, and the noncharacters.
    """
    if text.isascii():
        return _CONTROL.sub(lambda hit: _escaped(hit[0]), text)
    return "".join(_escaped(char) if _hides(char) else char for char in text)


def one_line(text: str, cap: int = 0) -> str:
    """`visible` text with all white space folded to single spaces, cut after `cap` characters if `cap`."""
    line = re.sub(r"\s+", " ", visible(text)).strip()
    return line[: cap - 1].rstrip() + "…" if cap and len(line) > cap else line


def cleaned(data: Any) -> Any:
    """`data`, made of dicts, lists, tuples and scalars, with `visible` applied to each string in it."""
    if isinstance(data, str):
        return visible(data)
    if isinstance(data, dict):
        return {cleaned(key): cleaned(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [cleaned(item) for item in data]
    return data


def write_atomic(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` so that a reader meets the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _hides(char: str) -> bool:
    if char in _KEPT:
        return False
    return unicodedata.category(char) in _HIDDEN or _is_noncharacter(ord(char))


def _is_noncharacter(point: int) -> bool:
    """Whether Unicode never assigns `point`: U+FDD0 to U+FDEF, and the last two of each plane."""
    return 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE


def _escaped(char: str) -> str:
    point = ord(char)
    return f"\\x{point:02x}" if point < 0x100 else f"[U+{point:04X}]"
