"""Requests as a browser makes them for a page of another origin, and the headers that answer them."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher, header_where, ok, output_where
from harness.scene import Scene

PAGE = "https://app.example.com"
"""The origin of the page that asks."""

VARY = ("Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method")


def rule(*origins: str, methods: tuple[str, ...] = ("GET", "PUT"), **others: Any) -> dict[str, Any]:
    """One CORS rule; `others` are AllowedHeaders, ExposeHeaders, MaxAgeSeconds."""
    return {"AllowedOrigins": list(origins), "AllowedMethods": list(methods)} | others


def configured(s3: Scene, *rules: dict[str, Any]) -> str:
    """A new bucket to which the client gives these rules, as the witness confirms."""
    bucket = s3.new_bucket()
    s3.expect(s3.call("PutBucketCors", Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)}), ok())
    has_rules(s3, bucket, *rules)
    return bucket


def has_rules(s3: Scene, bucket: str, *rules: dict[str, Any]) -> None:
    """The witness finds exactly these rules."""
    wanted = [_comparable(one) for one in rules]
    found = output_where("CORSRules", repr(wanted), lambda shown: [_comparable(one) for one in shown] == wanted)
    s3.expect(s3.look("GetBucketCors", Bucket=bucket), ok(), found)


def preflight(s3: Scene, bucket: str, key: str, *, origin: str = "", method: str = "", headers: str = "") -> Observed:
    """The OPTIONS request that a browser sends before a request that is not simple; what is "" is left out."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    lines = [(name, value) for name, value in asked.items() if value]
    return s3.send("OPTIONS", "OPTIONS", f"/{bucket}/{key}", *lines, bucket=bucket, signing=None)


def get_from(s3: Scene, bucket: str, key: str, origin: str) -> Observed:
    """A signed GET of an object from a page of this origin."""
    return s3.send("GetObject", "GET", f"/{bucket}/{key}", ("Origin", origin), bucket=bucket)


def lists(name: str, *values: str) -> Matcher:
    """A header that lists exactly these values, in any order and letter case."""
    wanted = {value.lower() for value in values}
    return header_where(name, f"lists {', '.join(values)}", lambda text: _words(text) == wanted)


def varies() -> Matcher:
    """A Vary header that has the three names that the answer depends on; others may stand beside them."""
    wanted = {name.lower() for name in VARY}
    return header_where("Vary", f"has {', '.join(VARY)}", lambda text: wanted <= _words(text))


def _words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


def _comparable(one: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, list) else value for name, value in one.items()}
