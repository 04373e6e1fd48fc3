"""The registry and the selection; and that every scenario of the spec is well formed."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from harness import proofs, scenario
from harness.clients import CLIENTS, PROGRAMS
from harness.errors import UsageError
from harness.record import ScenarioText
from harness.scenario import EXTENDED, MUST, SHOULD, Scenario, select
from harness.wire import model

SPEC = scenario.load()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Scenario]:
    """An empty registry to register in."""
    found: dict[str, Scenario] = {}
    monkeypatch.setattr(scenario, "_registry", found)
    return found


# --- registering ---


def test_registering_keeps_what_was_said_and_gives_the_function_back(registry):
    def holds(_s3: object) -> None:
        """A statement.

        S3 promises: it.
        """

    given = scenario.scenario("LST2-004", SHOULD, "PutObject", source="AWS", clients=["raw"], confidence="secondary")
    assert given(holds) is holds
    (found,) = registry.values()
    assert found == Scenario("LST2-004", SHOULD, ("PutObject",), "AWS", ("raw",), "secondary", holds, __name__)
    assert found.family == "LST2"
    assert found.title == "A statement."
    assert found.text == ScenarioText("S3 promises: it.", "AWS", proofs.caught()[found.id])


def test_by_default_every_client_can_and_the_statement_gates(registry):
    scenario.scenario("A-001", MUST, source="AWS")(lambda _s3: None)
    assert (registry["A-001"].clients, registry["A-001"].confidence) == (CLIENTS, "recorded")


@pytest.mark.parametrize("id_", ["", "ETAG", "A-1", "A-0001", "a-001", "A_001", "-001", "1A-001", "A-001\n"])
def test_a_malformed_id_is_refused(registry, id_):
    with pytest.raises(ValueError, match="malformed or taken"):
        scenario.scenario(id_, MUST, source="AWS")(lambda _s3: None)
    assert registry == {}


def test_an_id_is_taken_once(registry):
    scenario.scenario("A-001", MUST, source="AWS")(lambda _s3: None)
    with pytest.raises(ValueError, match="'A-001' is malformed or taken"):
        scenario.scenario("A-001", MUST, source="AWS")(lambda _s3: None)


def test_loading_again_gives_the_same_in_order_of_ids():
    assert scenario.load() == SPEC
    assert list(SPEC) == sorted(SPEC)


# --- selecting ---


@pytest.fixture
def some(registry: dict[str, Scenario]) -> dict[str, Scenario]:
    """Five scenarios of two families."""
    for id_, level in (("A-001", MUST), ("A-002", SHOULD), ("A-003", EXTENDED), ("B-001", MUST), ("B-002", EXTENDED)):
        scenario.scenario(id_, level, source="AWS")(lambda _s3: None)
    return registry


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "A-001 A-002 A-003 B-001 B-002"),
        ({"families": ["A"]}, "A-001 A-002 A-003"),
        ({"families": ["b", "a"]}, "A-001 A-002 A-003 B-001 B-002"),
        ({"ids": ["B-002", "a-001", "A-001"]}, "A-001 B-002"),
        ({"level": MUST}, "A-001 B-001"),
        ({"level": SHOULD}, "A-001 A-002 B-001"),
        ({"level": EXTENDED}, "A-001 A-002 A-003 B-001 B-002"),
        ({"families": ["B"], "level": MUST}, "B-001"),
        ({"families": ["A"], "ids": ["B-001"]}, ""),
        ({"ids": ["A-003"], "level": MUST}, ""),
    ],
)
def test_selection(some, asked, expected):
    assert [found.id for found in select(some, **asked)] == expected.split()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"families": ["C"]}, "unknown family 'C': valid: A, B"),
        ({"families": ["A", "C"]}, "unknown family 'C'"),
        ({"ids": ["A-01"]}, "unknown scenario 'A-01': did you mean 'A-001'?"),
        ({"ids": ["A-001", ""]}, "unknown scenario ''"),
    ],
)
def test_an_unknown_name_gives_the_nearest(some, asked, text):
    with pytest.raises(UsageError) as caught:
        select(some, **asked)
    assert text in str(caught.value)


# --- the spec ---


def test_there_is_a_spec():
    assert len(SPEC) >= 80


@pytest.fixture(params=list(SPEC))
def one(request: pytest.FixtureRequest) -> Scenario:
    """Each scenario of the spec."""
    return SPEC[request.param]


def test_id_level_clients_and_source(one):
    assert re.fullmatch(r"[A-Z][A-Z0-9]*-\d{3}", one.id)
    assert one.level in (MUST, SHOULD, EXTENDED)
    assert one.confidence in ("recorded", "partly unverified", "unverified", "secondary")
    assert one.clients
    assert len(set(one.clients)) == len(one.clients)
    assert set(one.clients) <= set(CLIENTS)
    assert len(one.source.strip()) > 3
    assert one.source == " ".join(one.source.split())


def test_operations_are_s3s(one):
    assert one.operations
    assert len(set(one.operations)) == len(one.operations)
    assert set(one.operations) <= model.operations() | {"PostObject"}  # a browser's form is in no SDK


def test_docstring_states_one_thing_and_says_who_suffers_and_what_to_do(one):
    """The report prints it: a statement in one line, then the three paragraphs, nothing else."""
    statement, *paragraphs = inspect.cleandoc(one.function.__doc__ or "").split("\n\n")
    assert "\n" not in statement
    assert statement.endswith(".")
    assert statement == one.title
    assert 20 < len(statement) <= 120
    starts = [re.match(r"(S3|The gateway) promises: |Breaks: |Fix: ", paragraph) for paragraph in paragraphs]
    promise = "The gateway promises: " if one.feature else "S3 promises: "
    assert [start[0] if start else None for start in starts] == [promise, "Breaks: ", "Fix: "]
    for paragraph, start in zip(paragraphs, starts, strict=True):
        assert len(paragraph) > len(start[0]) + 15
        assert paragraph.rstrip()[-1] in ".`)"


def test_function_takes_a_scene_and_sits_in_a_module_of_the_spec(one):
    assert len(inspect.signature(one.function).parameters) == 1
    assert one.module.split(".")[0] == "scenarios"
    assert one.module == one.function.__module__


def test_statements_and_functions_are_said_once():
    """Two scenarios with the same words check the same thing, or one of them says it wrongly."""
    titles = [found.title for found in SPEC.values()]
    assert sorted(titles) == sorted(set(titles))
    functions = [found.function for found in SPEC.values()]
    assert len(set(functions)) == len(functions)


def test_programs_are_clients():
    assert set(CLIENTS) >= PROGRAMS


def test_every_module_of_the_spec_is_loaded():
    """A module outside the package would be a family that is never checked."""
    root = Path(inspect.getfile(__import__("scenarios"))).parent
    written = {
        found
        for path in root.rglob("*.py")
        for found in re.findall(r'^@scenario\(\s*"([A-Z0-9]+-\d+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert written
    assert written <= set(SPEC)
