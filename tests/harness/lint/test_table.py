"""docs/lint.md says what the rules are."""

from __future__ import annotations

import re

from harness.lint import RULES
from tests.harness.lint.table import COMMAND, DOCUMENT, document


def test_the_document_is_that_of_the_rules() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), f"run `{COMMAND}`"


def test_all_rules_of_the_catalogue_are_there() -> None:
    assert [name for name in RULES if name.startswith("LINT-")] == [f"LINT-{number:03}" for number in range(1, 35)]
    assert all(re.fullmatch(r"(LINT|REQ)-\d{3}", name) and rule.id == name for name, rule in RULES.items())


def test_every_rule_says_what_it_takes() -> None:
    for rule in RULES.values():
        assert rule.title
        assert rule.source
        assert rule.failure or rule.warning
        assert not any(text.endswith(".") for text in (rule.title, rule.source, rule.failure, rule.warning))
