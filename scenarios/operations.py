"""OPS: every operation of S3, and whether an endpoint offers it, refuses it, pretends it, or takes it for another.

One scenario for each operation of botocore's model; ids are those of `fixtures/operations.tsv`, for good. Whether an
operation is offered at all is for the other families to ask: here a refusal is as good as the deed, if it is honest.
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import cast

from harness.record import Level
from harness.scenario import Function, scenario
from harness.scene import Scene
from scenarios import _operations_others, _operations_settings
from scenarios._operations import Question, ask

_TABLE = Path(__file__).parent.parent / "fixtures" / "operations.tsv"

_TEXT = """{operation} is done in full, or refused and nothing is done.

S3 promises: after success {done}. A gateway that does not offer the operation says so in S3's error document, with
501 NotImplemented or a 4xx code that is true of this bucket and object, which stay as they are. The notes of the cell
say which of the two it was.

Breaks: {breaks}

Fix: {fix}
"""

_BREAKS = {
    "GET": "a listing or an object in place of the answer is read by SDKs as an answer without any of its members, so "
    "that tools conclude that nothing is configured, or fail far from the cause.",
    "HEAD": "programs that ask before they act conclude that something is there, or is not.",
    "PUT": "a success that did nothing is believed: Terraform and backup tools report a protection that is not there; "
    "one that stores the document in place of the object destroys data.",
    "POST": "a success that did nothing is believed, and found out when what it should have done is needed.",
    "DELETE": "on gateways that overlook the sub-resource the request deletes the object, or the whole bucket; one "
    "that says 204 and keeps it leaves a setting in force that its owner thinks gone.",
    "RenameObject": "on gateways that overlook the sub-resource the request stores an empty object under the new key; "
    "programs go on with that one, or delete the old one as a copy that is not needed any more.",
}
_BREAKS_PLAIN = {
    "PUT": "a success that did nothing is believed: programs delete their own copy as soon as it is answered.",
    "DELETE": "a success that did nothing is believed: what its owner thinks gone can still be read, and is paid for.",
}
"""The same for operations without a sub-resource."""
_FIX = {
    True: "route by method and sub-resource together, and answer 501 NotImplemented for every sub-resource that is not "
    "offered, before the plain operation of the bucket or the object is reached.",
    False: "acknowledge only what was done; what is not offered gets 501 NotImplemented with S3's error document.",
}


def _register(id_: str, level: Level, question: Question, method: str, *, sub: bool) -> None:
    def stated(s3: Scene) -> None:
        ask(s3, question)

    breaks = ({} if sub else _BREAKS_PLAIN).get(method) or _BREAKS.get(question.operation) or _BREAKS[method]
    stated.__doc__ = _TEXT.format(operation=question.operation, done=question.done, breaks=breaks, fix=_FIX[sub])
    source = "AWS, Amazon S3 API Reference, " + question.operation
    scenario(id_, level, question.operation, source=source, clients=("raw",))(cast("Function", stated))


@functools.cache
def questions() -> dict[str, Question]:
    """How each operation is asked, by its name."""
    found = [*_operations_settings.questions(), *_operations_others.questions()]
    return {question.operation: question for question in found}


with _TABLE.open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file, dialect="excel-tab"):
        _register(
            _row["id"],
            cast("Level", _row["level"]),
            questions()[_row["operation"]],
            _row["method"],
            sub=bool(_row["subresource"]),
        )
