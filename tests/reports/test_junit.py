from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.record import Cell, ClientInfo, GatewayInfo, Observation, Run
from reports.junit import write_junit

OUTCOMES = {
    "conforms": "",
    "deviates": "",
    "unsupported": "",
    "violates": "failure",
    "contradicts": "failure",
    "blocked": "failure",
    "error": "error",
    "inapplicable": "skipped",
}


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """The structure that a JUnit file must have."""
    return xmlschema.XMLSchema(str(Path(__file__).parent / "data" / "junit.xsd"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for the files of this module."""
    return tmp_path_factory.mktemp("junit")


def written(run: Run, folder: Path, schema: xmlschema.XMLSchema) -> ET.Element:
    """The JUnit file of `run`, valid and with counts that add up."""
    path = folder / "junit.xml"
    write_junit(run, path)
    schema.validate(str(path))
    root = ET.parse(path).getroot()  # noqa: S314 - our own XML
    for suite in root:
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.attrib["tests"])
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert sum(case.find(tag) is not None for case in cases) == int(suite.attrib[attribute])
    for attribute in ("tests", "failures", "errors"):
        assert sum(int(suite.attrib[attribute]) for suite in root) == int(root.attrib[attribute])
    return root


@pytest.mark.parametrize("flaky", [False, True])
@pytest.mark.parametrize("confidence", ["recorded", "partly unverified", "unverified", "secondary"])
@pytest.mark.parametrize(("verdict", "tag"), OUTCOMES.items())
def test_each_verdict_has_its_element(
    verdict: str,
    tag: str,
    confidence: str,
    flaky: bool,
    cell_of: Callable[..., Cell],
    run_of: Callable[..., Run],
    folder: Path,
    schema: xmlschema.XMLSchema,
) -> None:
    """Failures are failures, errors errors; what cannot be expressed or does not gate is skipped. Flaky is said."""
    root = written(run_of([cell_of(verdict=verdict, confidence=confidence, flaky=flaky)]), folder, schema)
    case = root.find("testsuite/testcase")
    assert case is not None
    if tag in ("failure", "error") and confidence != "recorded":
        tag = "skipped"
    assert tag == "".join(child.tag for child in case if child.tag != "system-out")
    if tag:
        assert case[0].attrib["message"].startswith(verdict)
        assert case[0].attrib.get("type", "") == ("" if tag == "skipped" else verdict)
    assert ("flaky: a second try" in "".join(case.itertext())) is flaky


def test_a_suite_for_each_client_and_nothing_lost(
    run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema
) -> None:
    """Eight verdicts through three clients: 24 cases, 9 failures, 3 errors."""
    root = written(run_of(), folder, schema)
    assert [suite.attrib["name"] for suite in root] == ["boto3", "raw", "rclone"]
    assert tuple(root.attrib[name] for name in ("tests", "failures", "errors")) == ("24", "9", "3")
    facts = {prop.attrib["name"]: prop.attrib["value"] for prop in root[2].iter("property")}
    assert facts["gateway"] == "Example Gateway"
    assert facts["profile"] == "example"
    assert facts["runner"] == "docker"


def test_a_failing_cell_that_does_not_gate_is_skipped_and_says_so(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema
) -> None:
    """CI stays green on lines without a record of real S3, but the finding is there."""
    root = written(run_of([cell_of(verdict="violates", confidence="secondary")]), folder, schema)
    skipped = root.find("testsuite/testcase/skipped")
    assert skipped is not None
    assert skipped.attrib["message"].startswith("violates, but does not gate (secondary line): wanted 200")


def test_an_incomplete_run_is_never_green(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema
) -> None:
    """One error more says how many cells are missing."""
    root = written(run_of([cell_of()], planned=3), folder, schema)
    assert root.attrib["errors"] == "1"
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.attrib["message"] == "incomplete run: 1 of 3 cells"


def test_hostile_text_stays_text(
    hostile: str, run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema
) -> None:
    """The same elements come out, whatever an endpoint says."""
    shape = [element.tag for element in written(run_of(), folder, schema).iter()]
    assert shape == [element.tag for element in written(run_of(text=hostile), folder, schema).iter()]
    raw = (folder / "junit.xml").read_text(encoding="utf-8")
    assert not any(char in raw for char in "\x1b\x00\u202e\uffff")


def test_lines_of_a_megabyte_are_cut(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema
) -> None:
    """In every field that has text of an endpoint, a client or a user, and says so where it matters."""
    text = "\x1b&]]>" * 2000 + "x" * 990_000
    strings = dict.fromkeys(("scenario", "family", "title", "client", "expected", "message", "column"), text)
    more = {"profile_entry": text, "repro": {"curl": text}, "observed": Observation("mismatch", text)}
    info = ClientInfo(text, text, text, text)
    header = {"endpoint": text, "profile": text, "started": text, "run_id": text, "suite_version": text}
    cells = [cell_of(verdict=verdict, **strings, **more) for verdict in ("violates", "deviates")]
    run = run_of(cells, gateway=GatewayInfo(text, text), clients=[info], **header)
    written(run, folder, schema)
    page = (folder / "junit.xml").read_text(encoding="utf-8")
    assert len(page) < 300_000
    assert "cut after 4000 of 1000000 characters" in page


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters()))
def test_any_text_gives_valid_xml(
    text: str,
    cell_of: Callable[..., Cell],
    run_of: Callable[..., Run],
    folder: Path,
    schema: xmlschema.XMLSchema,
) -> None:
    """Control characters, `]]>`, lone surrogates: all can be in a run file, none in XML 1.0. In every field at once."""
    names = dict.fromkeys(("scenario", "family", "client", "column"), text)
    cells = [cell_of(verdict=verdict, text=text, **names) for verdict in ("violates", "deviates", "inapplicable")]
    header = {"gateway": GatewayInfo(text, text), "started": text, "run_id": text, "suite_version": text}
    info = ClientInfo(text, text, text, text)
    written(run_of(cells, text=text, clients=[info], **header), folder, schema)


def test_a_run_without_cells_is_valid(run_of: Callable[..., Run], folder: Path, schema: xmlschema.XMLSchema) -> None:
    """Nothing was checked, and the file says so."""
    assert written(run_of([], planned=5), folder, schema).attrib["errors"] == "1"
