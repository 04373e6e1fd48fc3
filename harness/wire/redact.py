"""Nothing secret is written: applied to every exchange, message and command before it is stored or shown.

Two nets: known places (headers, query parameters, elements that echo a signature) are emptied whatever they
hold, and the literal secrets of the run are replaced wherever they occur, in plain, percent-encoded, XML-escaped
and base64 form.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import msgspec

from harness.wire.exchange import Body, Exchange, Headers

MASK = "[redacted]"

_SECRET_HEADERS = frozenset({"x-amz-security-token", "cookie", "set-cookie", "proxy-authorization"})
_SECRET_HEADER_PARTS = ("server-side-encryption-customer-key", "server-side-encryption-context")
_AUTHORIZATION = re.compile(r"(?i)(Credential=)[^/,\s]*|(Signature=)[0-9A-Za-z+/=%]*")
_PARAMETER = re.compile(
    r"(?i)\b(X-Amz-(?:Signature|Security-Token)|Signature|AWSAccessKeyId|x-amz-security-token)=[^&\s\"'<>,;]*"
)
_CREDENTIAL = re.compile(r"(?i)(X-Amz-Credential=)[^&/%\s\"'<>]*")
_CHUNK = re.compile(r"(?i)(chunk-signature=|x-amz-trailer-signature:)[0-9a-f]*")
_ELEMENT = re.compile(
    r"(?is)(<(SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|CanonicalRequestBytes|AWSAccessKeyId"
    r"|Token-0|SessionToken|SecretAccessKey)>).*?(</\2>|$)"
)
_SIGV2 = re.compile(r"(AWS )[^:\s]+:[0-9A-Za-z+/=]+")


def _forms(secret: str) -> set[str]:
    plain = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    return plain | {base64.b64encode(secret.encode()).decode()}


class Redactor:
    """Empties secrets out of text and exchanges; `secrets` are the literal values of this run."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        self._literal = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def text(self, text: str) -> str:
        """`text` without secrets and signatures."""
        if self._literal is not None:
            text = self._literal.sub(MASK, text)
        text = _AUTHORIZATION.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)
        text = _PARAMETER.sub(lambda match: f"{match[1]}={MASK}", text)
        text = _CREDENTIAL.sub(lambda match: match[1] + MASK, text)
        text = _CHUNK.sub(lambda match: match[1] + MASK, text)
        text = _SIGV2.sub(lambda match: match[1] + MASK, text)
        return _ELEMENT.sub(lambda match: match[1] + MASK + match[3], text)

    def headers(self, headers: Headers) -> Headers:
        """Header lines without secrets."""
        return [(name, self._header(name.lower(), value)) for name, value in headers]

    def _header(self, name: str, value: str) -> str:
        if name in _SECRET_HEADERS or any(part in name for part in _SECRET_HEADER_PARTS):
            return MASK
        if name == "authorization" and not value.startswith(("AWS4-", "AWS ")):
            return MASK
        return self.text(value)

    def body(self, body: Body) -> Body:
        """A body's evidence without secrets."""
        return msgspec.structs.replace(body, text=self.text(body.text))

    def exchange(self, exchange: Exchange) -> Exchange:
        """An exchange without secrets, safe to store."""
        return msgspec.structs.replace(
            exchange,
            url=self.text(exchange.url),
            request_headers=self.headers(exchange.request_headers),
            request_body=self.body(exchange.request_body),
            response_headers=self.headers(exchange.response_headers),
            response_body=self.body(exchange.response_body),
            reason=self.text(exchange.reason),
            error=self.text(exchange.error),
        )
