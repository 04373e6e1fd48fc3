"""Defects of browser forms: what their policies do not stop, what is lost of them, and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.forms import KIND, encode, post, signed
from tests.reference_server.defects.probing import Lab, Probe, names_in

if TYPE_CHECKING:
    from conftest import Reply

DENIED = (403, "AccessDenied")
STORED = (204, "")


def seen(reply: Reply) -> tuple[int, str]:
    """Status and code."""
    return reply.status, reply.code if reply.status >= 400 else ""


def form(*more: object, expires: float = 60, **fields: str) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of a form with these fields, underscores for hyphens, and further conditions."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        named = {"key": "new", **{name.replace("_", "-"): value for name, value in fields.items()}}
        return seen(post(lab.raw, bucket, signed(bucket, named, *more, expires=expires)))

    return ask


def altered(field: str, value: str | None) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of a form one of whose fields was replaced, or left out, after it was signed."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        fields = signed(bucket, {"key": "new"})
        kept = {name: text for name, text in {**fields, field: value}.items() if text is not None}
        return seen(post(lab.raw, bucket, kept))

    return ask


def two(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of a form with a condition of two members."""
    pairs = [{"bucket": bucket, "key": "new"}]
    return seen(post(lab.raw, bucket, signed(bucket, {"key": "new"}, conditions=pairs)))


def left(header: str, **fields: str) -> Callable[[Lab, str], str | None]:
    """A header of the object that a form made."""

    def ask(lab: Lab, bucket: str) -> str | None:
        assert form(**fields)(lab, bucket) == STORED
        return lab.raw("HEAD", f"/{bucket}/new").headers.get(header)

    return ask


def named_by_file(lab: Lab, bucket: str) -> list[str]:
    """The keys that a form makes whose key has the name of the file in it."""
    fields = signed(bucket, {"key": "a-${filename}"}, conditions=[{"bucket": bucket}, ["starts-with", "$key", "a-"]])
    assert seen(post(lab.raw, bucket, fields)) == STORED
    return lab.raw("GET", f"/{bucket}?prefix=a-").elements("Key")


def of_type(lab: Lab, bucket: str) -> tuple[int, str]:
    """Status and code of a form that is announced as text."""
    body = encode(signed(bucket, {"key": "new"}))
    return seen(lab.raw("POST", f"/{bucket}", body, {**KIND, "Content-Type": "text/plain"}, sign=False))


def status(lab: Lab, bucket: str) -> int:
    """Status of a form that asks for 201."""
    fields = {"key": "new", "success_action_status": "201"}
    return post(lab.raw, bucket, signed(bucket, fields)).status


TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
PROBES = {
    "form-answered-200": Probe(form(), STORED, (200, "")),
    "form-answered-204": Probe(status, 201, 204),
    "form-condition-of-two-read": Probe(two, (400, "InvalidPolicyDocument"), STORED),
    "form-conditions-unchecked": Probe(form(["eq", "$key", "other"]), DENIED, STORED),
    "form-field-names-as-written": Probe(form(Key="new"), STORED, (400, "InvalidArgument")),
    "form-filename-literal": Probe(named_by_file, ["a-name.txt"], ["a-${filename}"]),
    "form-incomplete-403": Probe(altered("x-amz-date", None), (400, "InvalidArgument"), DENIED),
    "form-metadata-unread": Probe(left("x-amz-meta-a", x_amz_meta_a="b"), "b", None),
    "form-never-expires": Probe(form(expires=-60), DENIED, STORED),
    "form-signature-unchecked": Probe(altered("x-amz-signature", "0" * 64), (403, "SignatureDoesNotMatch"), STORED),
    "form-size-unchecked": Probe(form(["content-length-range", 0, 1]), (400, "EntityTooLarge"), STORED),
    "form-storage-class-unread": Probe(form(x_amz_storage_class="NONE"), (400, "InvalidStorageClass"), STORED),
    "form-tags-unread": Probe(left("x-amz-tagging-count", tagging=TAGS), "1", None),
    "form-token-unread": Probe(form(x_amz_security_token="a"), (400, "InvalidToken"), STORED),
    "form-type-400": Probe(of_type, (412, "PreconditionFailed"), (400, "MalformedPOSTRequest")),
    "forms-501": Probe(form(), STORED, (501, "NotImplemented")),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_forms") == PROBES.keys()


@pytest.mark.parametrize("name", sorted(PROBES.keys() - {"form-answered-200", "forms-501"}))
def test_an_ordinary_form_is_stored(lab: Lab, name: str) -> None:
    assert Probe(form(), None, None).observe(lab, name) == STORED


@pytest.mark.parametrize("name", sorted(PROBES.keys() - {"form-signature-unchecked", "forms-501"}))
@pytest.mark.parametrize("policy", ["e30=", "bm8ganNvbg==", "W10="])
def test_a_policy_that_was_replaced_is_refused(lab: Lab, name: str, policy: str) -> None:
    found = Probe(altered("policy", policy), None, None).observe(lab, name)
    assert found == (403, "SignatureDoesNotMatch")
