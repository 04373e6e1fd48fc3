"""Nothing secret is written: applied to every exchange, message and command before it is stored or shown.

Three nets: known places (headers, query parameters, elements that echo a signature) are emptied whatever they
hold; signatures of requests that were seen are replaced wherever they are repeated; and so are the literal secrets
of the run, plain, percent-encoded (also twice, also in part), escaped for XML or JSON, in base64 at any offset, or
cut short at the end of kept evidence.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
from collections.abc import Iterable

import msgspec

from harness.wire.exchange import Body, Exchange, Headers

MASK = "[redacted]"

_CUT = 4
"""Characters of a secret that may show where kept evidence ends within it; of text that is whole, twice as many."""
_LINE, _HEAD = 8 * 1024, 32 * 1024
"""Characters kept of a URL or a header value, and of all headers of a message: S3's own limits are near the first."""
_MAX_SPELLING = 36
_CACHED = 256
_SHORT = 8
"""Secrets below this length ("test" is a common one) are masked as whole words only: as a part of other words they
are everywhere, and an evidence full of masks tells nothing."""
_ESCAPE = re.compile(r"%(?:[0-9A-Fa-f%]*)|&[#\w]*|\\u?[0-9A-Fa-f]*")
"""What may be left of an escaped character where text was cut."""

_SECRET_HEADERS = frozenset({"x-amz-security-token", "cookie", "set-cookie", "proxy-authorization"})
_SECRET_HEADER_PARTS = ("server-side-encryption-customer-key", "server-side-encryption-context")
_AUTHORIZATION = re.compile(r"(?i)(?<![\w-])(?:(Credential=)[^/,\s]*|(Signature=)[0-9A-Za-z+/=%]+)")
_PARAMETER = re.compile(
    r"(?i)\b(X-Amz-(?:Signature|Security-Token)|Signature|AWSAccessKeyId|X-K3-Token)=[^&\s\"'<>,;]*"
)
_CREDENTIAL = re.compile(r"(?i)(X-Amz-Credential=)[^&/%\s\"'<>]*")
# Bounded, so that a text with very many of these words, or with openings that never close, is read in linear time.
_FORM_FIELD = re.compile(
    r"(?i)(name=\"?(?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|AWSAccessKeyId)\"?[^\r\n]{0,200}"
    r"(?:\r?\n[^\r\n]{1,200}){0,4}\r?\n\r?\n)[^\r\n]*"
)
_CHUNK = re.compile(r"(?i)(chunk-signature=|x-amz-trailer-signature:\s*)[0-9a-f]+")
_ELEMENT = re.compile(
    r"(?is)(<((?:[\w.-]+:)?(?:SignatureProvided|StringToSign|StringToSignBytes|CanonicalRequest|CanonicalRequestBytes"
    r"|AWSAccessKeyId|Token-0|SessionToken|SecretAccessKey))(?:\s[^<>]{0,400})?>).*?(</\2\s*>|$)"
)
_DIGITS = 64
"""Hexadecimal digits of a signature."""
_HEX = re.compile(rf"[0-9A-Fa-f]{{{_DIGITS},}}")
_SIGNED = re.compile(r"(?i)Signature=([0-9a-f]{64})")
_SIGNED_BODY = re.compile(
    r"(?i)(?:name=\"?X-Amz-Signature\"?\r?\n\r?\n|chunk-signature=|x-amz-trailer-signature:\s?)([0-9a-f]{64})"
)
"""Signatures in what was sent: of a form, of chunks."""
_SIGV2 = re.compile(r"(AWS )[^:\s]+(?::[0-9A-Za-z+/=]+)+")


class _Form:
    """One way of writing a secret: a pattern for each character, and for all of them in a row."""

    def __init__(self, characters: list[str], end: str = "") -> None:
        self.pattern = "".join(characters) + end
        self.head = "".join(characters[:_CUT])
        self._head = re.compile(self.head)
        self._rest = [re.compile(character) for character in characters[_CUT:]]

    def cut(self, text: str, least: int) -> int:
        """Where the form begins if `text` ends within it, at least `least` characters in; else the end."""
        for head in self._head.finditer(text, max(0, len(text) - _MAX_SPELLING * (len(self._rest) + _CUT))):
            at, count = head.end(), _CUT
            for character in self._rest:
                match = character.match(text, at)
                if match is None:
                    break
                at, count = match.end(), count + 1
            if count >= least and (at == len(text) or _ESCAPE.fullmatch(text, at)):
                return head.start()
        return len(text)


def _spelled(character: str) -> str:
    """A pattern for a character of a secret: itself, or as it is escaped for a URL, XML or JSON."""
    if character.isascii() and character.isalnum():
        return character
    ways = {character, html.escape(character), f"\\{character}"} | ({"&apos;"} if character == "'" else set())
    ways |= {"+"} if character == " " else set()
    ways |= {json.dumps(character)[1:-1], json.dumps(character)[1:-1].upper().replace("\\U", "\\u")}
    percent = "".join(f"%(?:25)?(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    patterns = [*map(re.escape, sorted(ways, key=len, reverse=True)), percent]
    code = ord(character)
    patterns += [rf"&\#0*{code};", rf"&\#[xX]0*(?i:{code:x});"]
    patterns += [rf"\\u(?i:{code:04x})"] if code < 0x10000 else []
    return f"(?:{'|'.join(patterns)})"


def _base64(secret: bytes, offset: int) -> list[str]:
    """Patterns for the characters that `secret` alone decides where it begins `offset` bytes into a group."""
    whole = base64.b64encode(bytes(offset) + secret).decode().rstrip("=")
    end = len(whole) - bool((offset + len(secret)) % 3)
    start = (0, 2, 3)[offset]
    either = {"+": f"(?:-|{_spelled('+')})", "/": f"(?:_|{_spelled('/')})"}
    return [either.get(character, character) for character in whole[start:end]]


def _forms(secret: str) -> list[_Form]:
    spelled = [_spelled(character) for character in secret]
    if len(secret) < _SHORT:
        return [_Form([f"(?<![0-9A-Za-z])(?:{''.join(spelled)})(?![0-9A-Za-z])"])]
    forms = [_Form(spelled)]
    for offset in range(3):
        characters = _base64(secret.encode("utf-8", "surrogatepass"), offset)
        if len(characters) > _CUT:
            forms.append(_Form(characters, r"[\w+/-]?(?:=|%3[dD]){0,2}"))
    return forms


_BUCKETS = re.compile(r"(?i)<(?:[\w.-]+:)?ListAllMy")
_BUCKET = re.compile(r"(?is)<((?:[\w.-]+:)?Bucket)(?:\s[^<>]*)?>.*?(</\1\s*>|$)")
_OWN = re.compile(r"(?i)<(?:[\w.-]+:)?Name(?:\s[^<>]*)?>\s*s3conform-")
"""A name that begins as those of a run's own buckets do, see `harness.sandbox`."""


class Redactor:
    """Empties secrets out of text and exchanges; `secrets` are the literal values of this run."""

    def __init__(self, secrets: Iterable[str]) -> None:
        ordered = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._forms = [form for secret in ordered for form in _forms(secret)]
        self._literal = re.compile("|".join(form.pattern for form in self._forms)) if self._forms else None
        self._begun = re.compile("|".join(form.head for form in self._forms))
        self._signatures: set[str] = set()
        # Most texts of a run are header lines that come again and again; what can hold no signature stays as it is.
        self._clean = functools.lru_cache(maxsize=8192)(self._without_secrets)
        self._short = functools.lru_cache(maxsize=8192)(self._field)

    def learn(self, exchanges: Iterable[Exchange]) -> None:
        """Know the signatures of these requests from now on, wherever an endpoint repeats them."""
        for exchange in exchanges:
            for text in (exchange.url, *(value for _, value in exchange.request_headers)):
                self._signatures.update(_SIGNED.findall(text))
            self._signatures.update(_SIGNED_BODY.findall(exchange.request_body.text))

    def text(self, text: str) -> str:
        """`text` without secrets and signatures, and without lone surrogates, which no file could take."""
        return self._text(text, 2 * _CUT)

    def _text(self, text: str, least: int) -> str:
        clean = (self._clean if len(text) <= _CACHED else self._without_secrets)(text, least)
        if len(clean) < _DIGITS:  # most are: a header line, a code
            return clean
        return _HEX.sub(lambda hit: MASK if self._is_signature(hit[0].lower()) else hit[0], clean)

    def _without_secrets(self, text: str, least: int) -> str:
        """`text` redacted, the beginning of a secret at its very end too, from `least` characters on."""
        text = text.encode("utf-8", "replace").decode()
        if self._literal is not None:
            text = self._literal.sub(MASK, text)
            if self._begun.search(text):  # hardly any text has so much as the beginning of a secret
                cut = min(form.cut(text, least) for form in self._forms)
                text = text[:cut] + MASK if cut < len(text) else text
        text = _AUTHORIZATION.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)
        text = _PARAMETER.sub(lambda match: f"{match[1]}={MASK}", text)
        text = _CREDENTIAL.sub(lambda match: match[1] + MASK, text)
        text = _FORM_FIELD.sub(lambda match: match[1] + MASK, text)
        text = _CHUNK.sub(lambda match: match[1] + MASK, text)
        text = _SIGV2.sub(lambda match: match[1] + MASK, text)
        return _ELEMENT.sub(lambda match: match[1] + MASK + match[3], text)

    def _is_signature(self, digits: str) -> bool:
        return any(digits[start : start + _DIGITS] in self._signatures for start in range(len(digits) - _DIGITS + 1))

    def headers(self, headers: Headers) -> Headers:
        """Header lines without secrets; the first ones, and of each the beginning, where there is very much of them."""
        kept: Headers = []
        size = 0
        for name, value in headers:
            size += len(name) + min(len(value), _LINE)
            if size > _HEAD:
                return [*kept, ("…", f"{len(headers) - len(kept)} more header lines")]
            kept.append((self._short if len(name) + len(value) < _DIGITS else self._field)(name, value))
        return kept

    def _field(self, name: str, value: str) -> tuple[str, str]:
        return self._line(name), self._header(name.lower(), value)

    def _line(self, text: str) -> str:
        """A URL, a header value or the like without secrets, cut where it is very long."""
        return self.text(text) if len(text) <= _LINE else f"{self._text(text[:_LINE], _CUT)}…"

    def _header(self, name: str, value: str) -> str:
        if name in _SECRET_HEADERS or any(part in name for part in _SECRET_HEADER_PARTS):
            return MASK
        if name == "authorization" and not value.startswith(("AWS4-", "AWS ")):
            return MASK
        return self._line(value)

    def body(self, body: Body) -> Body:
        """A body's evidence without secrets."""
        text = self._text(body.text, _CUT) if body.truncated else self.text(body.text)
        return msgspec.structs.replace(body, text=text)

    def _others(self, body: Body) -> Body:
        """A list of buckets without those that are not of a run: their names are nobody's business."""
        if not _BUCKETS.search(body.text):
            return body
        # One without its end is the beginning of an entry, and goes too.
        text = _BUCKET.sub(lambda entry: entry[0] if entry[2] and _OWN.search(entry[0]) else "", body.text)
        return msgspec.structs.replace(body, text=text)

    def exchange(self, exchange: Exchange) -> Exchange:
        """An exchange without secrets, safe to store."""
        return msgspec.structs.replace(
            exchange,
            url=self._line(exchange.url),
            request_headers=self.headers(exchange.request_headers),
            request_body=self.body(exchange.request_body),
            response_headers=self.headers(exchange.response_headers),
            response_body=self.body(self._others(exchange.response_body)),
            reason=self._line(exchange.reason),
            error=self._line(exchange.error),
        )
