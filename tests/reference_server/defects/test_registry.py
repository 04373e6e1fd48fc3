"""The register of defects: what each says of itself, and how they are switched."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_server.defects import UnknownDefectError, check_names, defects
from reference_server.defects.registry import SEAMS, defect
from tests.reference_server.defects.probing import ETAG, FOLDER, TEN, Lab, keys, names_in, one

if TYPE_CHECKING:
    from conftest import Running

ROOT = Path(__file__).parents[3]
_REPOSITORY = r"[\w.-]+/[\w.-]+(#\d+|@[0-9a-f]{7,40})"
_CITATION = re.compile(rf"(?:{_REPOSITORY}|[A-Z][A-Z0-9]*-\d{{3}}|docs\.dodil\.io, K3 S3 compatibility)")


def test_there_are_many_for_every_seam() -> None:
    seams = Counter(found.seam for found in defects().values())
    assert set(seams) == set(SEAMS)
    assert min(seams.values()) >= 8
    assert seams.total() >= 80


@pytest.mark.parametrize("name", defects())
def test_it_says_in_one_sentence_what_is_wrong_and_who_shows_it(name: str) -> None:
    about = defects()[name].about
    sentence, _, citations = about.removesuffix(").").rpartition(" (")
    assert about.endswith(").")
    assert not re.search(r"[.?!]\s+[A-Z]", sentence)
    assert all(_CITATION.fullmatch(source) for source in _sources(citations))


def _sources(text: str) -> list[str]:
    return [text] if text.startswith("docs.") else text.split(", ")


@pytest.mark.parametrize("name", defects())
def test_its_name_is_words(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)


def test_no_two_say_the_same() -> None:
    sentences = Counter(found.about for found in defects().values())
    assert sentences.most_common(1)[0][1] == 1


def test_each_stands_in_one_module() -> None:
    """By its name as it is registered, so that the tests of a module know which are its own."""
    modules = Counter(name for path in FOLDER.glob("*.py") for name in names_in(path.stem))
    assert modules == Counter(defects().keys())


def test_names_come_sorted() -> None:
    assert list(defects()) == sorted(defects())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("etag-unquotd", "did you mean 'etag-unquoted'?"),
        ("range-is-ignored", "did you mean 'range-ignored'?"),
        ("%%%%", "see --list-defects"),
        ("", "see --list-defects"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownDefectError, match=rf"^unknown defect '{name}'; {re.escape(hint)}$"):
        check_names(["etag-unquoted", name])


def test_an_unknown_name_changes_nothing(lab: Lab) -> None:
    bucket = one(lab)
    lab.behave("range-ignored")
    with pytest.raises(UnknownDefectError):
        lab.behave("etag-unquoted", "no-such-defect")
    assert lab.raw("GET", f"/{bucket}/key", headers={"Range": "bytes=0-1"}).status == 200
    assert lab.raw("GET", f"/{bucket}/key").headers["etag"] == ETAG
    lab.behave()
    assert lab.raw("GET", f"/{bucket}/key", headers={"Range": "bytes=0-1"}).status == 206


def test_a_second_defect_of_one_name_is_refused() -> None:
    with pytest.raises(ValueError, match="two defects are named etag-unquoted"):
        defect("etag-unquoted", "serialise", "It is there already.")(lambda inner: inner)


# Several at once

COMBINED = {
    "no-request-id": ("x-amz-request-id", True, False),
    "content-type-lost": ("content-type", "text/plain", "binary/octet-stream"),
    "etag-unquoted": ("etag", ETAG, ETAG.strip('"')),
    "last-modified-missing-on-get": ("last-modified", True, False),
    "range-ignored": ("content-length", "2", "10"),
}


REQUESTS = (
    *(("PUT", suffix) for suffix in ("/new", "/..", "/a/b", "?tagging", "/a?acl")),
    *(("GET", suffix) for suffix in ("", "?list-type=2", "?versions", "?uploads", "?policy", "/a", "/a?tagging", "/x")),
    *(("POST", suffix) for suffix in ("/new?uploads", "?delete")),
    *(("DELETE", suffix) for suffix in ("/a", "/a?tagging", "?policy", "")),
)


def seen(lab: Lab) -> dict[str, object]:
    """What the headers of a download of two bytes show of each of these defects."""
    bucket = lab.bucket()
    assert lab.raw("PUT", f"/{bucket}/key", TEN, {"Content-Type": "text/plain"}).status == 200
    found = lab.raw("GET", f"/{bucket}/key", headers={"Range": "bytes=0-1"}).headers
    return {
        name: header in found if isinstance(right, bool) else found.get(header)
        for name, (header, right, _) in COMBINED.items()
    }


@pytest.mark.parametrize("count", range(len(COMBINED) + 1))
def test_several_show_together_and_no_other(lab: Lab, count: int) -> None:
    for names in itertools.combinations(COMBINED, count):
        lab.behave(*names)
        expected = {name: wrong if name in names else right for name, (_, right, wrong) in COMBINED.items()}
        assert seen(lab) == expected
    lab.behave()
    assert seen(lab) == {name: right for name, (_, right, _) in COMBINED.items()}


def test_each_choice_replaces_the_one_before(lab: Lab) -> None:
    lab.behave("etag-unquoted")
    lab.behave("range-ignored")
    assert seen(lab)["etag-unquoted"] == ETAG
    assert seen(lab)["range-ignored"] == "10"
    lab.behave()


def test_a_defect_given_twice_is_the_same_defect(lab: Lab) -> None:
    lab.behave("etag-unquoted", "etag-unquoted")
    assert seen(lab)["etag-unquoted"] == ETAG.strip('"')
    lab.behave()


@pytest.mark.parametrize("seam", sorted({*SEAMS} - {"wire"}))
def test_all_of_one_seam_at_once_do_not_break_the_server(
    lab: Lab, seam: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = keys("a", "b/c", "d")(lab)
    lab.behave(*(name for name, found in defects().items() if found.seam == seam))
    for method, suffix in REQUESTS:
        assert lab.raw(method, f"/{bucket}{suffix}").status != 500
    lab.behave()
    assert capsys.readouterr().err == ""


def test_a_server_is_wrong_from_the_start(serve: Callable[..., Iterator[Running]]) -> None:
    for running in serve(defects=["etag-unquoted", "keys-unsorted"]):
        lab = Lab(running)
        assert seen(lab)["etag-unquoted"] == ETAG.strip('"')
        lab.behave()
        assert seen(lab)["etag-unquoted"] == ETAG


@pytest.mark.parametrize(("names", "imported"), [([], False), (["etag-unquoted"], True)])
def test_a_server_without_defects_does_not_import_them(names: list[str], *, imported: bool) -> None:
    program = (
        "import sys\n"
        "from reference_server.app import App\n"
        "from reference_server.server import Server\n"
        "from reference_server.store import Store\n"
        f"app = App(Store(), {{'AK': 'SK'}}, defects={names!r})\n"
        "print([name for name in sys.modules if name.startswith('reference_server.defects')])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment, timeout=30
    )
    assert ("reference_server.defects" in done.stdout) == imported
