"""An exchange as a curl command that anyone can run. Credentials are named as variables, never written."""

from __future__ import annotations

import shlex

from harness.wire.exchange import Exchange

_SIGNED_ANEW = frozenset(
    {
        "authorization",
        "host",
        "x-amz-date",
        "x-amz-security-token",
        "content-length",
        "connection",
        "user-agent",
    }
    | {"accept-encoding", "expect", "amz-sdk-invocation-id", "amz-sdk-request"}
)


def curl(exchange: Exchange, region: str) -> str:
    """A command that sends this request again, signed anew by curl (7.75 or later).

    Text that a terminal would act on is passed in `$'…'` form, so that pasting the command is safe. A truncated
    or binary body is replaced by a file name.
    """
    parts = ["curl", "-i", "--path-as-is", "--max-time", "30"]
    parts += ["-I"] if exchange.method == "HEAD" else ["-X", _quote(exchange.method)]
    parts += ["--aws-sigv4", _quote(f"aws:amz:{region}:s3")]
    parts += ["--user", '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"']
    for name, value in exchange.request_headers:
        if name.lower() not in _SIGNED_ANEW:
            parts += ["-H", _quote(f"{name}: {value}")]
    body = exchange.request_body
    if body.size and (body.truncated or "\N{REPLACEMENT CHARACTER}" in body.text):
        parts += ["--data-binary", "@body.bin"]
    elif body.size:
        parts += ["--data-binary", _quote(body.text)]
    return " ".join([*parts, _quote(exchange.url)])


def _quote(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(c if c.isprintable() and c not in "\\'" else _escape(c) for c in text)
    return f"$'{escaped}'"


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
