"""Listings: which version, encoded or not, in what order, how many keys at a time, and which keys at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from harness.clients.base import Observed
from harness.probe.context import Context, Finding, Undecided, evidence, experiment, listed, plain, said
from harness.record import NOTHING, UNKNOWN
from harness.wire.exchange import Exchange

_TREE = ("a", "b/1", "b/2", "b/3", "c/1", "d", "e")
_FOLDED = ("a", "b/", "c/", "d", "e")
_SPECIAL = ("a&b", "b+c d/x%y", "\u00e9", "\uff5e", "\U0001f600")
"""XML, URLs and UTF-16 each have their own opinion about one of these."""
_CONTROL = "q\x01r"
_PAGES = 12
_PAGE = 1000
_LISTS = {1: "ListObjects", 2: "ListObjectsV2"}


class Walk(NamedTuple):
    """A listing page by page: names below the prefix in the order shown, and what went wrong, or ""."""

    names: list[str]
    problem: str
    exchanges: list[Exchange]
    first: Observed


def _page(ctx: Context, version: int, prefix: str, more: dict[str, Any]) -> Observed:
    return ctx.call(_LISTS[version], {"Bucket": ctx.bucket, "Prefix": prefix, **more})


def _walk(ctx: Context, version: int, prefix: str, size: int, *, folded: bool, encoded: bool) -> Walk:
    """All pages, followed as rclone follows them."""
    prefix = ctx.prefix + prefix
    ask: dict[str, Any] = {"MaxKeys": size}
    ask |= {"Delimiter": "/"} if folded else {}
    ask |= {"EncodingType": "url"} if encoded else {}
    names: list[str] = []
    exchanges: list[Exchange] = []
    seen: set[str] = set()
    problem, first = "", None
    for _ in range(_PAGES):
        answer = _page(ctx, version, prefix, ask)
        first = first or answer
        exchanges += answer.exchanges
        if not answer.ok:
            problem = f"is answered {said(answer)}"
            break
        found = [_decoded(name, encoded) for name in [*answer.keys, *answer.prefixes]]
        names += [name.removeprefix(prefix) for name in found]
        if answer.output.get("IsTruncated") is not True:
            break
        marker, problem = _next(answer, version, encoded)
        if marker in seen:
            problem = "comes to the same page again, so that it never ends"
        if problem:
            break
        seen.add(marker)
        ask["ContinuationToken" if version == 2 else "Marker"] = marker
    else:
        problem = f"does not end within {_PAGES} pages"
    assert first is not None  # noqa: S101 - the loop runs at least once, for the type checker
    return Walk(names, problem, exchanges, first)


def _decoded(name: str, encoded: bool) -> str:
    return unquote_plus(name) if encoded else name


def _next(answer: Observed, version: int, encoded: bool) -> tuple[str, str]:
    """The token or marker of the page after this one, and what is wrong with it."""
    if version == 2:
        token = str(answer.output.get("NextContinuationToken", ""))
        return token, "" if token else "says that there is more but gives no token"
    marker = str(answer.output.get("NextMarker", "")) or (answer.keys or [""])[-1]
    return _decoded(marker, encoded), "" if marker else "says that there is more but neither marker nor key"


def _wrong(walk: Walk, expected: tuple[str, ...]) -> str:
    """What is wrong with a walk, or ""."""
    if walk.problem:
        return walk.problem
    missing = [name for name in expected if name not in walk.names]
    extra = [name for name in walk.names if name not in expected]
    twice = sorted({name for name in walk.names if walk.names.count(name) > 1})
    if missing and extra:
        return f"shows {listed(extra)} instead of {listed(missing)}"
    if missing:
        return f"lacks {listed(missing)}"
    if extra:
        return f"shows {listed(extra)}, which is not there"
    return f"shows {listed(twice)} more than once" if twice else ""


@experiment(
    "list_version",
    "list_url_encode",
    "list_url_encode_v1",
    "encoding_type",
    "list_order",
    "list_chunk",
    "encoding",
)
def listings(ctx: Context) -> Iterator[Finding]:
    """Seven keys by both versions, with and without delimiter, two at a time; then keys that need encoding."""
    for name in _TREE:
        _kept(ctx, f"l/{name}")
    wrong: dict[int, str] = {}
    exchanges: list[Exchange] = []
    for version in (2, 1):
        for folded, expected in ((False, _TREE), (True, _FOLDED)):
            walk = _walk(ctx, version, "l/", 2, folded=folded, encoded=False)
            exchanges += walk.exchanges
            problem = _wrong(walk, expected)
            if problem:
                wrong.setdefault(version, problem + (" with a delimiter" if folded else ""))
    yield _list_version(wrong, exchanges)
    best = 1 if 2 in wrong and 1 not in wrong else 2
    yield _chunk(_walk(ctx, best, "l/", _PAGE, folded=False, encoded=False))
    # Where pages do not follow each other, one that holds all shows the encoding.
    yield from _encoding(ctx, best, {version: _PAGE if version in wrong else 2 for version in (1, 2)})


def _kept(ctx: Context, name: str) -> None:
    answer = ctx.put(name, b"")
    if not answer.ok:
        raise Undecided(f"an upload is answered {said(answer)}")


def _list_version(wrong: dict[int, str], exchanges: list[Exchange]) -> Finding:
    words = {version: f"{_LISTS[version]} {problem}" for version, problem in wrong.items()}
    if len(wrong) == 2:
        return Finding("list_version", NOTHING, f"{words[2]}; {words[1]}.", exchanges=exchanges)
    if not wrong:
        text = "Pages of two keys show every key once by both versions."
        return Finding("list_version", "2", text, ("2", "1"), exchanges)
    ((bad, text),) = words.items()
    return Finding("list_version", str(3 - bad), f"{text}; {_LISTS[3 - bad]} does well.", (), exchanges)


def _encoding(ctx: Context, best: int, sizes: dict[int, int]) -> Iterator[Finding]:
    """Keys that need encoding, by the version of ListObjects that is advised, and by version 1."""
    kept = [name for name in _SPECIAL if ctx.put(f"s/{name}", b"").ok]
    if "b+c d/x%y" not in kept or len(kept) < 2:
        raise Undecided(f"uploads of keys with special characters are refused: {listed(set(_SPECIAL) - set(kept))}")
    expected = tuple(sorted("b+c d/" if "/" in name else name for name in kept))
    walks = {one: _walk(ctx, one, "s/", sizes[one], folded=True, encoded=True) for one in (best, 1)}
    clear = _walk(ctx, best, "s/", _PAGE, folded=True, encoded=False)
    found = _url_encode(_wrong(walks[best], expected), _wrong(clear, expected), [walks[best], clear])
    yield found
    problem = _wrong(walks[1], expected)
    text = f"ListObjects with encoding-type=url {problem or 'shows every key once'}."
    yield Finding("list_url_encode_v1", "broken" if problem else "works", text, (), walks[1].exchanges)
    yield _encoding_type(walks[best].first)
    yield _order(_walk(ctx, best, "s/", _PAGE, folded=False, encoded=found.value == "true"), kept)
    yield _control(ctx, best)
    # A listing without encoding may not show these, and what is not shown would never be cleaned up.
    for name in (*(f"s/{name}" for name in kept), f"c/{_CONTROL}"):
        ctx.object("DeleteObject", "DELETE", name)


def _url_encode(problem: str, clear: str, walks: list[Walk]) -> Finding:
    exchanges = [exchange for walk in walks for exchange in walk.exchanges]
    works = (() if problem else ("true",)) + (() if clear else ("false",))
    if problem and clear:
        text = f"A listing of special characters {problem} if encoded, and {clear} if not."
    elif problem:
        text = f"A listing with encoding-type=url {problem}; one without it does well."
    elif clear:
        text = f"A listing without encoding-type=url {clear}; one with it does well."
    else:
        text = "Keys with special characters are listed well, encoded and not."
    return Finding("list_url_encode", works[0] if works else NOTHING, text, works, exchanges)


def _encoding_type(page: Observed) -> Finding:
    raw = " ".join([*page.keys, *page.prefixes])
    changed, echoed = "%2B" in raw.upper() or "%26" in raw, bool(page.output.get("EncodingType"))
    if not page.ok:
        value, text = "refused", f"A listing with encoding-type=url is answered {said(page)}: AWS CLI cannot list."
    elif changed and echoed:
        value, text = "applied", "Keys are encoded, and EncodingType says so."
    elif changed:
        value, text = "not echoed", "Keys are encoded but EncodingType does not say so: boto3 shows them encoded."
    else:
        value, text = "ignored", "Keys are not encoded although encoding-type=url was sent."
    return Finding("encoding_type", value, text, exchanges=page.exchanges)


def _order(flat: Walk, kept: list[str]) -> Finding:
    if flat.problem or sorted(flat.names) != sorted(kept):
        text = f"A listing in one page {flat.problem or 'does not show what was uploaded'}."
        return Finding("list_order", UNKNOWN, text, exchanges=flat.exchanges)
    if flat.names == sorted(kept, key=str.encode):
        return Finding("list_order", "sorted", "Keys come in the order of their UTF-8 bytes.", (), flat.exchanges)
    text = f"Keys come as {listed(flat.names, 6)}: commands that merge listings (aws s3 sync) go wrong."
    return Finding("list_order", "unsorted", text, (), flat.exchanges)


def _chunk(flat: Walk) -> Finding:
    """How many keys come in a page: as many as are asked for, unless the answer says fewer."""
    said_keys = flat.first.output.get("MaxKeys")
    if flat.problem:
        return Finding("list_chunk", UNKNOWN, f"A listing of {_PAGE} keys {flat.problem}.", exchanges=flat.exchanges)
    if isinstance(said_keys, int) and 0 < said_keys < _PAGE:
        text = f"Of {_PAGE} keys asked for, {said_keys} come in a page."
        return Finding("list_chunk", str(said_keys), text, (str(said_keys), str(_PAGE)), flat.exchanges)
    return Finding("list_chunk", str(_PAGE), f"A page of {_PAGE} keys may be asked for.", (), flat.exchanges)


def _control(ctx: Context, version: int) -> Finding:
    """Whether a control character in a key survives, which XML alone cannot carry."""
    usual = "Slash,InvalidUtf8,Dot"
    put = ctx.put(f"c/{_CONTROL}", b"")
    walk = _walk(ctx, version, "c/", _PAGE, folded=False, encoded=True)
    exchanges = evidence(put) + walk.exchanges
    if put.ok and walk.names == [_CONTROL]:
        text = "A control character in a key is kept and listed."
        return Finding("encoding", usual, text, exchanges=exchanges)
    how = f"is answered {said(put)}" if not put.ok else "is not listed as it was uploaded"
    text = f"A key with a control character {how}: rclone had better replace such characters."
    return Finding("encoding", f"{usual},Ctl", text, (f"{usual},Ctl", usual), exchanges)


@experiment("directory_markers")
def directory_markers(ctx: Context) -> Iterator[Finding]:
    """An empty object whose key ends in a slash, seen from above and from within."""
    put = ctx.put("m/dir/", b"")
    above = _walk(ctx, 2, "m/", _PAGE, folded=True, encoded=False)
    within = _walk(ctx, 2, "m/dir/", _PAGE, folded=True, encoded=False)
    if above.problem or within.problem:
        above = _walk(ctx, 1, "m/", _PAGE, folded=True, encoded=False)
        within = _walk(ctx, 1, "m/dir/", _PAGE, folded=True, encoded=False)
    exchanges = evidence(put) + above.exchanges + within.exchanges
    if not put.ok:
        value, text = "no", f"An upload of dir/ is answered {said(put)}."
    elif above.problem or within.problem:
        value, text = UNKNOWN, f"A listing {above.problem or within.problem}."
    elif above.names == ["dir/"] and within.names == [""]:
        value, text = "yes", "An empty object dir/ is kept and listed."
    else:
        shown = plain(f"{above.names} from above and {within.names} from within", 120)
        value, text = "no", f"An empty object dir/ is listed as {shown}."
    yield Finding("directory_markers", value, text, exchanges=exchanges)
