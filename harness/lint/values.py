"""Forms of values that headers and documents share: dates, ETags, checksums, numbers. Each says "" or what is wrong."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import re

_IMF = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?(Z|[+-]00:00)", re.ASCII
)
_EXACT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000Z")
_ETAG = re.compile(r"[0-9A-Fa-f]{32}(?:-([1-9][0-9]{0,4}))?")
_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)

SIZES = {
    "CRC32": 4,
    "CRC32C": 4,
    "CRC64NVME": 8,
    "SHA1": 20,
    "SHA256": 32,
    "SHA512": 64,
    "MD5": 16,
    "XXHASH64": 8,
    "XXHASH3": 8,
    "XXHASH128": 16,
}
"""Bytes of each checksum, by the name that the model gives its algorithm."""


def number(text: str) -> str:
    """Decimal digits."""
    return "" if _NUMBER.fullmatch(text) else "is no number"


def boolean(text: str) -> str:
    """True or false in lower case."""
    return "" if text in ("true", "false") else "is neither true nor false"


@functools.lru_cache(1024)
def http_date(text: str) -> str:
    """An IMF-fixdate that exists. Source: RFC 9110 §5.6.7."""
    found = _IMF.fullmatch(text)
    if found is None:
        return "is no HTTP date in GMT"
    weekday, day, month, year, hour, minute, second = found.groups()
    try:
        moment = dt.date(int(year), _MONTHS.index(month) + 1, int(day))
        dt.time(int(hour), int(minute), int(second))
    except ValueError:
        return "is a date that does not exist"
    return "" if _DAYS[moment.weekday()] == weekday else f"is not a {weekday}"


@functools.lru_cache(1024)
def iso_date(text: str) -> str:
    """An ISO 8601 date in UTC that exists."""
    found = _ISO.fullmatch(text)
    if found is None:
        return "is no ISO 8601 date in UTC"
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        dt.date(year, month, day)
        dt.time(hour, minute, second)
    except ValueError:
        return "is a date that does not exist"
    return ""


def is_exact(text: str) -> bool:
    """Whether a date has the form recorded on AWS: three zero decimals and Z."""
    return _EXACT.fullmatch(text) is not None


def quotes(text: str) -> str:
    """Within double quotes."""
    return "" if len(text) > 1 and text[0] == text[-1] == '"' else "is not in double quotes"


def etag(bare: str) -> str:
    """32 hex digits, and a number of parts for a multipart upload; `bare` is without quotes."""
    found = _ETAG.fullmatch(bare)
    if found is None or int(found[1] or 1) > 10000:
        return "is neither an MD5 in hex nor one with a number of parts"
    return ""


def checksum(algorithm: str, text: str) -> str:
    """Base64 of as many bytes as the algorithm has; `text` may have a suffix with a number of parts."""
    value, dash, parts = text.partition("-")
    if dash and not (parts.isdecimal() and len(parts) <= 5):
        return "has a suffix that is no number of parts"
    try:
        raw = base64.b64decode(value[:200], validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    return "" if len(raw) == SIZES[algorithm] and len(value) <= 200 else f"is not of {SIZES[algorithm]} bytes"
