"""What is charged to an operation, and what is not: no effect of another one, and nothing where no answer tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.run import new_run_id
from harness.sandbox import Sandbox
from harness.scene import Scene
from harness.signals import Mismatch, Prerequisite
from harness.wire.sigv4 import Credentials
from scenarios._operations import ask
from scenarios.operations import questions

Answer = Callable[["Store", Mapping[str, Any]], Observed]


class Store(RawClient):
    """A store of one object, which does what is said of each further operation.

    Args:
        answers: what becomes of an operation, by its name; all others are refused with 501.
    """

    def __init__(self, **answers: Answer) -> None:
        super().__init__(Endpoint("http://127.0.0.1:9", Credentials("AK", "SK")))
        self.body, self.metadata = b"", dict[str, str]()
        self._answers: dict[str, Answer] = {"CreateBucket": done, "PutObject": put, "GetObject": get, "HeadObject": get}
        self._answers |= answers
        self.asked: list[str] = []

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        self.asked.append(operation)
        return self._answers.get(operation, refuse)(self, params)


def done(_store: Store, _params: Mapping[str, Any]) -> Observed:
    return Observed("", "raw", ok=True, status=200, headers={}, body=b"")


def put(store: Store, params: Mapping[str, Any]) -> Observed:
    store.body, store.metadata = params["Body"], dict(params.get("Metadata", {}))
    return done(store, params)


def get(store: Store, _params: Mapping[str, Any]) -> Observed:
    output = {"Metadata": dict(store.metadata)}
    return Observed("", "raw", ok=True, status=200, headers={}, body=store.body, output=output)


def refuse(_store: Store, _params: Mapping[str, Any]) -> Observed:
    return Observed("", "raw", ok=False, status=501, code="NotImplemented", headers={}, body=b"")


def overwrite(store: Store, params: Mapping[str, Any]) -> Observed:
    """The sub-resource is overlooked: a PUT of tags is one of the object."""
    return put(store, {"Body": repr(params["Tagging"]).encode()})


def question(store: Store, operation: str, folder: Path) -> Scene:
    """The question about an operation, put to a store; the scene with its notes."""
    scene = Scene("cell", store, store, Sandbox(new_run_id(), "w0", store, folder / "journal.jsonl"))
    ask(scene, questions()[operation])
    return scene


def test_harm_is_charged_to_the_operation_that_did_it(tmp_path: Path) -> None:
    """Other bytes, or other metadata."""
    with pytest.raises(Mismatch, match=r"fall-through: 200, and the object is [0-9]+ other bytes"):
        question(Store(PutObjectTagging=overwrite), "PutObjectTagging", tmp_path)

    def forget(store: Store, params: Mapping[str, Any]) -> Observed:
        store.metadata.clear()
        return done(store, params)

    with pytest.raises(Mismatch, match="fall-through: 200, and the object has other metadata"):
        question(Store(PutObjectTagging=forget), "PutObjectTagging", tmp_path)


def test_harm_is_not_charged_to_the_operation_that_comes_after(tmp_path: Path) -> None:
    """The object is stored again before the question, so that it meets what it should."""
    scene = question(Store(PutObjectTagging=overwrite), "GetObjectTagging", tmp_path)
    assert [note.partition(" (")[0] for note in scene.notes] == [
        "what was to prepare the question harmed the object, which was stored again",
        "support: refused",
    ]
    read = Store(PutObjectTagging=overwrite, GetObjectTagging=get)
    with pytest.raises(Mismatch, match="fall-through: it is answered with the bytes of the object"):
        question(read, "GetObjectTagging", tmp_path)


def test_nothing_is_there_to_be_read_once_its_put_was_taken_for_another(tmp_path: Path) -> None:
    """An answer without tags is the truth then; where the object stayed as it was, it is not what was acknowledged."""
    scene = question(Store(PutObjectTagging=overwrite, GetObjectTagging=done), "GetObjectTagging", tmp_path)
    assert scene.notes[-1] == "support: answered, but nothing could be set (what was to set it harmed the object)"
    with pytest.raises(Mismatch, match="dummy answer"):
        question(Store(PutObjectTagging=done, GetObjectTagging=done), "GetObjectTagging", tmp_path)


@pytest.mark.parametrize("unwell", [{"failure": "no answer within 5 s"}, {"status": 503, "code": "SlowDown"}])
def test_no_answer_is_no_harm(tmp_path: Path, unwell: dict[str, Any]) -> None:
    """Whether the object is as it was cannot be told: the cell is blocked, and nothing charged."""

    def silent_afterwards(store: Store, params: Mapping[str, Any]) -> Observed:
        if "PutBucketTagging" in store.asked:
            return Observed("GetObject", "raw", ok=False, headers={}, **unwell)
        return get(store, params)

    with pytest.raises(Prerequisite, match="GetObject failed"):
        question(Store(GetObject=silent_afterwards), "PutBucketTagging", tmp_path)


def test_a_rename_leaves_nothing_under_the_old_key(tmp_path: Path) -> None:
    """What is found wrong names the key, and says what is there."""
    with pytest.raises(Mismatch, match=r"dummy answer: 200, but GetObject of 'kept' still answers 200"):
        question(Store(RenameObject=done), "RenameObject", tmp_path)

    def emptied(store: Store, params: Mapping[str, Any]) -> Observed:
        store.body = b""
        return done(store, params)

    with pytest.raises(Mismatch, match=r"but GetObject of 'renamed' gives 0 other bytes"):
        question(Store(RenameObject=emptied), "RenameObject", tmp_path)
