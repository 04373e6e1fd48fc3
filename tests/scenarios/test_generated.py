"""The engine of generated scenarios: finds planted faults, tells the smallest example, and ends in time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.limit import OutOfTime, limit
from harness.sandbox import Sandbox
from harness.scene import Scene
from harness.signals import Inexpressible, Mismatch, Prerequisite
from harness.wire.sigv4 import Credentials
from scenarios._generated import generate

Check = Callable[[Scene, list[int]], Any]


def lists(st: ModuleType) -> Any:
    return st.lists(st.integers(0, 50), max_size=12)


def ask(s3: Scene, example: list[int], right: bool) -> Observed:
    """One call, kept by the scene, that shows whether the example is right."""
    seen = s3.keep("client", Observed("GetObject", "raw", ok=right, status=200, message=repr(example)))
    s3.check(right, "no fault", "a fault", seen)
    return seen


def three_or_more(s3: Scene, example: list[int]) -> None:
    """The planted fault: a list with a number over 9 behind two others. The smallest is [0, 0, 10]."""
    ask(s3, example, not (len(example) > 2 and max(example[2:]) > 9))


@pytest.fixture
def scene(tmp_path: Path) -> Callable[[int], Scene]:
    def make(seed: int = 1) -> Scene:
        raw = RawClient(Endpoint("http://localhost:1", Credentials("A", "S")))
        return Scene("t", raw, raw, Sandbox("r", "w", raw, tmp_path / "journal", "bucket"), seed=seed)

    return make


def search(s3: Scene, check: Check, name: str = "GEN-001", examples: int = 300, seconds: float = 20) -> None:
    generate(s3, name, lists, lambda example: check(s3, example), repr, examples, seconds)


def examples_of(s3: Scene, name: str = "GEN-001", examples: int = 25) -> list[list[int]]:
    made: list[list[int]] = []

    def check(s3: Scene, example: list[int]) -> None:
        ask(s3, example, True)
        made.append(example)

    search(s3, check, name, examples)
    return made


@pytest.mark.parametrize("seed", range(12))
def test_finds_a_planted_fault_and_shrinks_it(scene: Callable[[int], Scene], seed: int) -> None:
    """Whatever the seed, the fault is found, and told by its smallest example with the call that showed it."""
    s3 = scene(seed)
    before = ask(s3, [], True)
    with pytest.raises(Mismatch) as failed:
        search(s3, three_or_more)
    assert failed.value.found == "a fault (example: [0, 0, 10])"
    assert failed.value.expected == s3.expected == "no fault"
    assert failed.value.observed is not None
    assert failed.value.observed.message == "[0, 0, 10]"
    assert [seen for _, seen in s3.seen] == [before, failed.value.observed], "the calls of other examples are gone"


def test_all_is_well_without_a_fault(scene: Callable[[int], Scene]) -> None:
    """Nothing is raised or noted; of the calls, those of the last example stay."""
    s3, last = scene(1), examples_of(scene(1))[-1]
    search(s3, lambda s3, example: ask(s3, example, True), examples=25)
    assert [seen.message for _, seen in s3.seen] == [repr(last)]
    assert s3.notes == []


def test_same_seed_same_examples(scene: Callable[[int], Scene]) -> None:
    """The seed of the run and the id make the examples; either one changed changes them."""
    first = examples_of(scene(7))
    assert first == examples_of(scene(7))
    assert first != examples_of(scene(8))
    assert first != examples_of(scene(7), "GEN-002")


def test_same_seed_same_examples_elsewhere(scene: Callable[[int], Scene], tmp_path: Path) -> None:
    """A process with other modules loaded makes the same examples, and leaves nothing in its folder."""
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]);"
        "import harness.cli.run, reports.html, reference_server.app;"
        "from tests.scenarios.test_generated import Endpoint, RawClient, Credentials, Sandbox, Scene, examples_of;"
        "raw = RawClient(Endpoint('http://localhost:1', Credentials('A', 'S')));"
        "s3 = Scene('t', raw, raw, Sandbox('r', 'w', raw, pathlib.Path('j'), 'bucket'), seed=7);"
        "print(examples_of(s3))"
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-P", "-c", program, root]
    ended = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ended.stdout == f"{examples_of(scene(7))}\n", ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_ends_in_time_when_all_is_well(scene: Callable[[int], Scene]) -> None:
    """Against a slow endpoint fewer examples are made, and a note says how many."""

    def slow(s3: Scene, example: list[int]) -> None:
        time.sleep(0.05)
        ask(s3, example, True)

    s3, begun = scene(1), time.monotonic()
    search(s3, slow, seconds=0.5)
    assert time.monotonic() - begun < 3
    assert s3.notes[0].startswith("checked ")
    assert s3.notes[0].endswith(" of 300 examples in 0.5 s")


def test_ends_in_time_while_shrinking(scene: Callable[[int], Scene]) -> None:
    """The time counts for the search for a smaller example too; the smallest one so far is told."""

    def slow(s3: Scene, example: list[int]) -> None:
        time.sleep(0.02 if len(example) < 6 else 0.3)
        ask(s3, example, len(example) < 2)

    begun = time.monotonic()
    with pytest.raises(Mismatch, match="a fault"):
        search(scene(1), slow, seconds=0.4)
    assert time.monotonic() - begun < 4


def test_at_least_one_example_is_checked(scene: Callable[[int], Scene]) -> None:
    """No time at all is still one example, never none."""
    with pytest.raises(Mismatch, match=r"example: \[\]"):
        search(scene(1), lambda s3, example: ask(s3, example, False), seconds=0)


def test_a_fault_that_comes_and_goes_is_told(scene: Callable[[int], Scene]) -> None:
    """A failure that does not come again is a failure of the endpoint, not of the search."""
    failed: list[list[int]] = []

    def once(s3: Scene, example: list[int]) -> None:
        if len(example) > 3:
            failed.append(example)
        ask(s3, example, len(failed) != 1)

    with pytest.raises(Mismatch) as told:
        search(scene(1), once)
    assert told.value.found == f"a fault (example: {failed[0]})"


@pytest.mark.parametrize(
    "broken",
    [Inexpressible("cannot"), Prerequisite(Observed("PutObject", "raw", ok=False, status=503)), ValueError("harness")],
)
def test_what_no_example_changes_ends_the_search(scene: Callable[[int], Scene], broken: Exception) -> None:
    """A client that cannot say it, a set-up that fails, and a fault of the check come out as they are, once."""
    made: list[list[int]] = []

    def check(s3: Scene, example: list[int]) -> None:
        made.append(example)
        raise broken

    with pytest.raises(type(broken)) as raised:
        search(scene(1), check)
    assert raised.value is broken
    assert len(made) == 1


def test_the_limit_of_the_cell_cuts_it(scene: Callable[[int], Scene]) -> None:
    """The signal that ends a cell is taken for no example's failure."""

    def stuck(s3: Scene, example: list[int]) -> None:
        time.sleep(30)

    begun = time.monotonic()
    with pytest.raises(OutOfTime), limit(0.5):
        search(scene(1), stuck)
    assert time.monotonic() - begun < 5
    with pytest.raises(Mismatch, match=r"\[0, 0, 10\]"):  # and leaves nothing broken behind
        search(scene(1), three_or_more)
