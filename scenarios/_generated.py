"""Generated examples: one check asked of many inputs, and the smallest input that it fails for.

A scenario hands over a strategy of hypothesis, a check, and how an example reads in words. What is generated depends
on the seed of the run and the id of the scenario alone, so that `--seed` brings every example back.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from harness.clients.base import Observed
from harness.scene import Role, Scene
from harness.signals import Mismatch

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")

SECONDS = 8.0
"""How long all examples of one scenario may take, the search for the smallest one that fails among them."""


class _Found(Exception):
    """An example failed: the one exception that hypothesis sees, so that all failures are one to it."""


class _Over(BaseException):
    """Ends the search at once. Not an Exception, which hypothesis would take for a failing example."""


class _Failure(NamedTuple):
    """A failing example in words, what it came to, and the calls that show it."""

    words: str
    mismatch: Mismatch
    calls: list[tuple[Role, Observed]]


class _Search(Generic[Example]):
    """One scenario's examples while they run.

    Args:
        s3: the scene.
        check: raises Mismatch for an example that fails.
        words: an example in words; of several that fail, the one that takes the fewest is the smallest.
        until: the moment, on the monotonic clock, to stop at.
    """

    def __init__(
        self, s3: Scene, check: Callable[[Example], None], words: Callable[[Example], str], until: float
    ) -> None:
        self.made = 0
        self.smallest: _Failure | None = None
        self.broken: Exception | None = None
        self._s3, self._check, self._words, self._until = s3, check, words, until
        self._begun = len(s3.seen)

    def attempt(self, example: Example) -> None:
        """Check one example; of those that pass, the calls of the last one stay as evidence.

        Raises:
            _Found: it fails.
            _Over: the time is over, or the check itself cannot go on (what it raised is in `broken`).
        """
        if self.made and time.monotonic() > self._until:
            raise _Over
        begun = len(self._s3.seen)
        try:
            self._check(example)
        except Mismatch as mismatch:
            self._keep(_Failure(self._words(example), mismatch, self._s3.seen[begun:]))
            raise _Found from None
        except Exception as error:  # a client that cannot say it, a set-up that fails: no example changes that
            self.broken = error
            raise _Over from error
        finally:
            self.made += 1
        self._s3.forget(self._begun, begun)

    def _keep(self, failure: _Failure) -> None:
        self._s3.forget(self._begun)
        if self.smallest is None or len(failure.words) <= len(self.smallest.words):
            self.smallest = failure


def generate(
    s3: Scene,
    name: str,
    strategy: Callable[[ModuleType], SearchStrategy[Example]],
    check: Callable[[Example], None],
    words: Callable[[Example], str],
    examples: int,
    seconds: float = SECONDS,
) -> None:
    """Check so many examples, and report the smallest one that fails.

    An endpoint too slow for all of them within the time is judged by those that were made; a note tells how many.

    Args:
        s3: the scene; `seen` keeps the calls of the last example, or of the smallest one that fails.
        name: id of the scenario, which makes its examples others than those of the next one.
        strategy: given `hypothesis.strategies`, what to generate. Integers in a range of more than 100, floats and
            texts are to be put together from smaller choices: hypothesis would mix in constants of its own, and
            would keep tables of all characters in the user's folder.
        check: asks the endpoint; raises Mismatch.
        words: an example in words, short.
        examples: how many at most; a quarter of them through an SDK, whose calls take longer.
        seconds: for all of it; at least one example is checked.

    Raises:
        Mismatch: the smallest example that failed, in words, with the call that showed it.
    """
    begun = len(s3.seen)
    examples = examples if s3.client.name == "raw" else max(1, examples // 4)
    bound = min(seconds, s3.witness.endpoint.cell_limit / 4)
    search = _Search(s3, check, words, time.monotonic() + bound)
    over = _run(search, strategy, _seed(s3.seed, name), examples)
    if search.smallest is not None:
        found = search.smallest
        s3.seen[begun:] = found.calls
        s3.expected = found.mismatch.expected
        raise Mismatch(
            found.mismatch.expected, f"{found.mismatch.found} (example: {found.words})", found.mismatch.observed
        )
    if search.broken is not None:
        raise search.broken
    if over:
        s3.note(f"checked {search.made} of {examples} examples in {bound:g} s")


def _seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8])


def _run(
    search: _Search[Example], strategy: Callable[[ModuleType], SearchStrategy[Example]], seed: int, examples: int
) -> bool:
    """Let hypothesis generate and shrink; whether the search was ended before."""
    # Loaded by the first scenario that generates: nobody else is to wait for it.
    hypothesis = importlib.import_module("hypothesis")
    strategies = importlib.import_module("hypothesis.strategies")

    def run(example: Example) -> None:
        search.attempt(example)

    limits = hypothesis.settings(
        max_examples=examples,
        database=None,
        derandomize=False,
        deadline=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )
    with _no_local_constants():
        try:
            limits(hypothesis.seed(seed)(hypothesis.given(strategy(strategies))(run)))()
        except _Found:
            pass
        except hypothesis.errors.Flaky:
            if search.smallest is None:
                raise
        except _Over:
            return True
    return False


@contextmanager
def _no_local_constants() -> Iterator[None]:
    """Keep hypothesis from reading the constants of all modules that are loaded.

    It mixes them into what it generates. Other modules are loaded in another run, and with another selection, so that
    the same seed would not give the same examples; it also takes a second, and leaves a folder `.hypothesis` behind.
    """
    providers = importlib.import_module("hypothesis.internal.conjecture.providers")
    collect = "_get_local_constants"
    kept = getattr(providers, collect, None)
    if kept is None:  # a hypothesis of before 2025, which did not do that
        yield
        return
    setattr(providers, collect, providers.Constants)
    try:
        yield
    finally:
        setattr(providers, collect, kept)


def quoted(names: Iterable[str]) -> str:
    """Names for the words of an example: `'a', 'b/1'`, or `none`."""
    return ", ".join(map(repr, names)) or "none"
