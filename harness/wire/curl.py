"""An exchange as a curl command that anyone can run. Credentials are named as variables, never written."""

from __future__ import annotations

import shlex

from harness.wire.exchange import Body, Exchange

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
    """A command that sends this request again, signed anew by curl (7.75 or later) if it was signed.

    Text that a terminal would act on is passed in `$'…'` form, so that pasting the command is safe. A truncated
    or binary body is replaced by a file name. What curl would add or interpret by itself (a Content-Type, brackets
    in URLs, `@` in bodies) is switched off. The query of a signed request is sorted and bare names get a `=`, which
    S3 reads alike: curl before 8 signs a query as it stands, and right only if it stands in canonical order.
    """
    names = {name.lower() for name, _ in exchange.request_headers}
    parts = ["curl", "-i", "-g", "--path-as-is", "--max-time", "30"]
    parts += ["-I"] if exchange.method == "HEAD" else ["-X", _quote(exchange.method)]
    url = exchange.url
    if "authorization" in names:
        url = _canonical(url)
        parts += ["--aws-sigv4", _quote(f"aws:amz:{region}:s3")]
        parts += ["--user", '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"']
    if "x-amz-security-token" in names:
        parts += ["-H", '"x-amz-security-token: $AWS_SESSION_TOKEN"']
    for name, value in exchange.request_headers:
        if name.lower() not in _SIGNED_ANEW:
            parts += ["-H", _quote(f"{name}: {value}" if value else f"{name};")]
    data = _data(exchange.request_body, "content-length" in names and exchange.method != "HEAD")
    if data and "content-type" not in names:
        parts += ["-H", "Content-Type:"]
    return " ".join([*parts, *data, _quote(url)])


def _canonical(url: str) -> str:
    path, mark, query = url.partition("?")
    pairs = sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&"))
    return path + mark + "&".join(pairs) if query else url


def _data(body: Body, always: bool) -> list[str]:
    """The options that send a body; an empty one too if its length `always` is said."""
    if body.truncated or "\N{REPLACEMENT CHARACTER}" in body.text or "\0" in body.text:
        return ["--data-binary", "@body.bin"]
    return ["--data-raw", _quote(body.text)] if body.size or always else []


def _quote(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(c if c.isprintable() and c not in "\\'" else _escape(c) for c in text)
    return f"$'{escaped}'"


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
