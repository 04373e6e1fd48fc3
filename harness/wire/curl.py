"""An exchange as a curl command that anyone can run. Credentials are named as variables, never written."""

from __future__ import annotations

import re
import shlex

from harness.wire.exchange import Body, Exchange, Headers
from harness.wire.redact import MASK
from harness.wire.sigv4 import canonical_path, canonical_query

_LEFT_TO_CURL = frozenset(
    {"host", "connection", "user-agent", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request"}
)
_SIGNED_ANEW = frozenset({"authorization", "x-amz-date", "date"})
"""What curl makes with the signature; a `Date` of the original would be taken for the time of the new one."""
_FRAMING = frozenset({"content-length", "expect"})
_SCHEME = "AWS4-HMAC-SHA256 "
_SCOPE = re.compile(r"Credential=[^,]*/([^/,:\s]+)/([^/,:\s]+)/aws4_request\b")
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_DEFAULT_TYPE = "binary/octet-stream"


def curl(exchange: Exchange, region: str) -> str:
    """A command that sends this request again, signed anew by curl (7.87 or later) if it had a Signature Version 4.

    Text that a terminal would act on is passed in `$'…'` form, so that pasting the command is safe. A truncated
    or binary body is replaced by a file name. What curl would interpret by itself (brackets in URLs, `@` in bodies)
    is switched off. What the command cannot repeat is said at its end, as an argument of `:`, which does nothing;
    to an interactive zsh a `#` begins no comment.

    For curl to sign right, in all of its versions:

    - the URL is spelled in canonical order and encoding, which S3 reads alike: older versions sign it as it stands;
    - a body without a type is given S3's default type, so that nothing else is stored. Without one curl sends a type
      of its own, and with `-H Content-Type:` curl before 8.3 signs a header that it does not send;
    - `--path-as-is` is left to paths that need it: newer versions refuse it together with a signature;
    - Content-Length and Expect are repeated only where the length is not that of the body, since that is then what
      the request is about: curl signs both, and proxies take Expect away.

    Args:
        exchange: redacted, if others are to read the command.
        region: to sign for, if the exchange does not tell.
    """
    body = exchange.request_body
    names = {name.lower() for name, _ in exchange.request_headers}
    scope = _scope(exchange.request_headers, region)
    lines = _lines(exchange, signed=bool(scope))
    url = _canonical(exchange.url) if scope else exchange.url
    parts = ["curl", "-i", "-g", "--http1.1", "--max-time", "30"]
    parts += ["--path-as-is"] if not scope or _DOTS.search(url.partition("?")[0]) else []
    parts += ["-I"] if exchange.method == "HEAD" else ["-X", _quote(exchange.method)]
    if scope:
        parts += ["--aws-sigv4", _quote(f"aws:amz:{scope}")]
        parts += ["--user", '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"']
    if "x-amz-security-token" in names:
        parts += ["-H", '"x-amz-security-token: $AWS_SESSION_TOKEN"']
    for name, value in lines:
        parts += ["-H", _quote(f"{name}: {value}" if value else f"{name};")]
    data = _data(body, "content-length" in names and exchange.method != "HEAD")
    if data and "content-type" not in names:
        parts += ["-H", _quote(f"Content-Type: {_DEFAULT_TYPE}" if scope else "Content-Type:")]
    command = " ".join([*parts, *data, _quote(url)])
    notes = [*(_signing(lines, parts) if scope else ()), *_missing(exchange, lines)]
    return f"{command} && : {_quote('; '.join(notes))}" if notes else command


def _scope(headers: Headers, region: str) -> str:
    """`REGION:SERVICE` that a request was signed for with Signature Version 4; "" if it was not.

    One signed for another region or service on purpose is repeated like that.
    """
    signed = next((value for name, value in headers if name.lower() == "authorization"), "")
    if not signed.startswith(_SCHEME):
        return ""
    scope = _SCOPE.search(signed)
    return f"{scope[1]}:{scope[2]}" if scope else f"{region}:s3"


def _lines(exchange: Exchange, *, signed: bool) -> Headers:
    """The header lines to repeat as they are."""
    length = [value for name, value in exchange.request_headers if name.lower() == "content-length"]
    honest = length in ([], [str(exchange.request_body.size)])
    gone = (
        _LEFT_TO_CURL | {"x-amz-security-token"} | (_SIGNED_ANEW if signed else set()) | (_FRAMING if honest else set())
    )
    return [(name, value) for name, value in exchange.request_headers if name.lower() not in gone]


def _canonical(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    path, _, query = target.partition("?")
    return f"{scheme}{mark}{authority}{slash}{canonical_path(path)}" + (f"?{canonical_query(query)}" if query else "")


def _signing(lines: Headers, options: list[str]) -> list[str]:
    """What is to be known of the new signature."""
    names = [name.lower() for name, _ in lines]
    notes = ["curl signs this anew: right, and for now, however the original was signed"]
    notes += ["curl before 8.3 signs empty headers wrong"] if not all(value for _, value in lines) else []
    notes += ["curl before 8.14 signs repeated headers wrong"] if len(set(names)) < len(names) else []
    notes += ["newer versions of curl refuse to sign a path with dots as it is"] if "--path-as-is" in options else []
    return notes


def _missing(exchange: Exchange, lines: Headers) -> list[str]:
    """What of the request the exchange does not hold, and somebody has to put in."""
    body = exchange.request_body
    texts = [exchange.url, *(value for _, value in lines), body.text]
    notes = [f"body.bin is to hold the {body.size} bytes of the body"] if _is_file(body) else []
    notes += [f"{MASK} stands for a secret"] if any(MASK in text for text in texts) else []
    notes += ["lines that end with … were cut"] if any(text.endswith("…") for text in texts[:-1]) else []
    return notes


def _is_file(body: Body) -> bool:
    return body.truncated or "\N{REPLACEMENT CHARACTER}" in body.text or "\0" in body.text


def _data(body: Body, always: bool) -> list[str]:
    """The options that send a body; an empty one too if its length `always` is said."""
    if _is_file(body):
        return ["--data-binary", "@body.bin"]
    return ["--data-raw", _quote(body.text)] if body.size or always else []


def _quote(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(c if c.isprintable() and c not in "\\'" else _escape(c) for c in text)
    return f"$'{escaped}'"


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
