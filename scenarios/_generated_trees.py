"""Trees of keys that are generated, planted once, and listed page by page against the model of `_listing`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from harness.clients.base import Observed
from harness.expect import ok
from harness.scene import Scene
from scenarios._generated import quoted
from scenarios._listing import Listing

SEGMENTS = ("a", "a-1", "b", "a0", "a b", "a+b", "é", "10")
"""Between slashes: names that continue each other, sort before and behind the slash, and need encoding."""

Names = tuple[str, ...]


def names(st: ModuleType, most: int, segments: Iterable[str] = SEGMENTS, joint: str = "/") -> Any:
    """A strategy of up to `most` different keys of one to three segments."""
    name = st.lists(st.sampled_from(tuple(segments)), min_size=1, max_size=3).map(joint.join)
    return st.lists(name, max_size=most, unique=True).map(portable)


def portable(keys: Iterable[str]) -> Names:
    """The keys without those that are a folder of another one, which stores on file systems cannot keep."""
    kept = list(keys)
    return tuple(key for key in kept if not any(other.startswith(f"{key}/") for other in kept))


class Question(NamedTuple):
    """What a listing is asked for, without the place of the tree; `size` 0 is no max-keys."""

    prefix: str
    delimiter: str
    after: str
    size: int
    encoded: bool

    def words(self, after: str) -> str:
        """The question as a user of the API would say it; `after` is what the listing calls its start."""
        shown = [f"prefix {self.prefix!r}"]
        shown += [f"delimiter {self.delimiter!r}"] if self.delimiter else []
        shown += [f"{after} {self.after!r}"] if self.after else []
        shown += [f"max-keys {self.size}"] if self.size else []
        shown += ["encoding-type url"] if self.encoded else []
        return ", ".join(shown)


class Tree(NamedTuple):
    """Keys, and what is asked about them."""

    keys: Names
    questions: tuple[Question, ...]

    def words(self, after: str) -> str:
        """Keys and questions."""
        return f"keys {quoted(self.keys)}; listed with " + "; and ".join(each.words(after) for each in self.questions)


def trees(st: ModuleType, delimiters: Iterable[str], keys: Any = None) -> Any:
    """A strategy of trees of up to ten keys with up to four questions each."""
    of_keys = names(st, 10) if keys is None else keys
    asked = tuple(delimiters)

    def with_questions(keys: Names) -> Any:
        return st.builds(Tree, st.just(keys), questions(st, keys, asked, encoded=(False, True)))

    return of_keys.flatmap(with_questions)


def questions(st: ModuleType, keys: Names, delimiters: Iterable[str], encoded: Iterable[bool] = (False,)) -> Any:
    """A strategy of one to four questions that have to do with the keys.

    A question is made of three choices: hypothesis leaves out parts of a list best where each is made of few.
    """
    how = tuple(itertools.product(("", *delimiters), (0, 1, 2, 3), encoded))
    question = st.builds(
        lambda prefix, how, after: Question(prefix, how[0], after, how[1], how[2]),
        st.sampled_from(("", *_beginnings(keys), "x")),
        st.sampled_from(how),
        st.sampled_from(("", "", *_beginnings(keys), *keys, "a-", "z")),
    )
    return st.lists(question, min_size=1, max_size=4).map(tuple)


def _beginnings(keys: Names) -> list[str]:
    """What the keys begin with, shorter ones first."""
    return sorted({key[:end] for key in keys for end in range(1, len(key) + 1)}, key=lambda text: (len(text), text))


class Forest:
    """Each tree planted once, in a place of its own; asked for again it brings its set-up back into the record."""

    def __init__(self, s3: Scene) -> None:
        self._s3 = s3
        self._planted: dict[Any, tuple[Any, list[Any]]] = {}

    def plant(self, tree: Any, planting: Callable[[str], Any]) -> Any:
        """What `planting` gives when it is called, the first time, with the key prefix for this tree."""
        if tree in self._planted:
            result, calls = self._planted[tree]
            self._s3.seen += calls
            return result
        begun = len(self._s3.seen)
        result = planting(self._s3.key(f"{len(self._planted)}/"))
        self._planted[tree] = result, self._s3.seen[begun:]
        return result

    def objects(self, keys: Names) -> str:
        """Objects with these keys below the prefix that comes back, stored last first; each holds its key."""

        def planting(place: str) -> str:
            for key in reversed(keys):
                self._s3.put(place + key, key.encode())
            return place

        prefix: str = self.plant(keys, planting)
        return prefix


def walk(
    first: Callable[..., Observed], following: Callable[[Observed], dict[str, Any] | None], most: int
) -> Iterator[Observed]:
    """The pages of a listing as far as they lead, at most `most`; `first` is asked with what `following` gives."""
    ask: dict[str, Any] = {}
    for _ in range(most):
        page = first(**ask)
        yield page
        way_on = following(page)
        if way_on is None:
            return
        ask = way_on


def expect_pages(
    s3: Scene,
    expected: Listing,
    size: int,
    pages: Iterator[Observed],
) -> None:
    """The pages show the entries of the listing, each once and in order, at most `size` of them at a time (0: any).

    A page may hold fewer entries than it could: S3 promises no more.
    """
    shown, page = 0, None
    for page in pages:
        s3.expect(page, ok())
        count = len(page.keys) + len(page.prefixes)
        s3.expect(page, *Listing(expected.entries[shown : shown + count]).shown())
        s3.check(not size or count <= size, f"a page of at most {size} entries", f"it has {count}", page)
        shown += count
    expect_all(s3, shown, len(expected), page)


def expect_all(s3: Scene, shown: int, total: int, page: Observed | None) -> None:
    """The pages had as many entries as there are; `page` is the last one."""
    ended = page is None or page.output.get("IsTruncated") is not True
    s3.check(
        shown == total and ended,
        f"{total} entries in all, and then the end",
        f"{shown} of {total} entries came, and " + ("the listing ended" if ended else "the listing went on"),
        page,
    )


def decoded(page: Observed) -> Observed:
    """The page with its names as they are, where the answer says that they are percent-encoded; SDKs undo it."""
    if page.client == "raw" and page.output.get("EncodingType") == "url":
        page.output = {member: _decoded(member, value) for member, value in page.output.items()}
    return page


_NAMES = frozenset({"Key", "Prefix", "Delimiter", "StartAfter", "Marker", "NextMarker", "KeyMarker", "NextKeyMarker"})


def _decoded(member: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(member, entry) for entry in value]
    if isinstance(value, dict):
        return {name: _decoded(name, inner) for name, inner in value.items()}
    return unquote_plus(value) if member in _NAMES and isinstance(value, str) else value


def outside(keys: Iterable[str], question: Question, place: str) -> str:
    """The start of the question below `place`, or "" where it is inside a group that folds: see LST1-012."""
    start = place + question.after if question.after else ""
    prefix = place + question.prefix
    for key in keys:
        at = (place + key).find(question.delimiter, len(prefix)) if question.delimiter else -1
        if at >= 0 and (place + key).startswith(prefix) and start.startswith((place + key)[: at + 1]):
            return ""
    return start
