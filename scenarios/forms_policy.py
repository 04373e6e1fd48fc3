"""POST: what the policy of a browser form allows, and its signature."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher, body, metadata, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._forms import CONTENT, DENIED, STORED, encoded, exactly, post, signed

_EQ = "LocalStack test_post_object_policy_conditions_validation_eq (recorded on AWS)"
_FIELDS = {
    "x-amz-signature": "X-Amz-Signature",
    "x-amz-algorithm": "X-Amz-Algorithm",
    "x-amz-credential": "X-Amz-Credential",
    "x-amz-date": "X-Amz-Date",
    "policy": "Policy",
    "key": "key",
}
"""Fields that a form of Signature Version 4 needs, and how an error names them."""


def _stores(s3: Scene, fields: dict[str, str], content: bytes = CONTENT) -> None:
    """The form is accepted, and its file is there."""
    s3.expect(post(s3, fields, content), STORED)
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(content))


def _stores_nothing(s3: Scene) -> None:
    s3.expect(s3.look("GetObject", Key=s3.key()), refused(404))


@scenario(
    "POST-005",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_request_expires (recorded on AWS)",
    clients=("raw",),
)
def expired_policy(s3: Scene) -> None:
    """A form whose policy has expired is refused with 403 AccessDenied, and nothing is stored.

    S3 promises: expiration in the policy is a moment; after it the form is worth nothing, however well it is signed.

    Breaks: forms that were saved or left open in a browser keep working for ever, for whoever has them.

    Fix: compare expiration with the clock after the signature was verified and before the file is read.
    """
    s3.expect(post(s3, signed(s3, {"key": s3.key()}, expires=-60)), DENIED)
    _stores_nothing(s3)
    _stores(s3, signed(s3, {"key": s3.key()}))


@scenario(
    "POST-006",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_request_malformed_policy (recorded on AWS)",
    clients=("raw",),
)
def altered_policy(s3: Scene) -> None:
    """A policy that was altered after signing is 403 SignatureDoesNotMatch, whose StringToSign is the policy as sent.

    S3 promises: the signature is over the base64 text of the field. Whatever that says by now, the error shows it.

    Breaks: the limits of every upload form: its user could raise the size, change the key or make the object public.

    Fix: verify the signature over the text of the field before decoding it.
    """
    form = signed(s3, {"key": s3.key()})
    wider = encoded([["starts-with", "$key", ""], ["starts-with", "$acl", ""]])
    for policy in (wider, form["policy"][:-4], "A" * 40):
        fields = {"StringToSign": policy}
        refusal = refused(403, "SignatureDoesNotMatch", fields=fields)
        s3.expect(post(s3, {**form, "policy": policy}), refusal)
    _stores_nothing(s3)
    _stores(s3, form)


@scenario(
    "POST-007",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_request_missing_signature, test_post_request_missing_fields (recorded on AWS)",
    clients=("raw",),
)
def incomplete_form(s3: Scene) -> None:
    """A form without its signature or another needed field is 400 InvalidArgument, with ArgumentName of the field.

    S3 promises: key, policy, x-amz-signature, x-amz-algorithm, x-amz-credential and x-amz-date must all come before the
    file. The error names the first that is missing.

    Breaks: authors of forms, who often put fields behind the file, where they do not count. Told "AccessDenied", they
    search in the wrong place; and a form without a signature must not pass as anonymous.

    Fix: check for all needed fields when the file begins, and name the missing one.
    """
    form = signed(s3, {"key": s3.key()})
    for name, title in _FIELDS.items():
        without = {field: value for field, value in form.items() if field != name}
        named = Matcher(f"ArgumentName {title}, in any case", lambda seen, title=title: _names(seen, title))  # type: ignore[misc]
        s3.expect(post(s3, without), refused(400, "InvalidArgument"), named)
    _stores_nothing(s3)
    _stores(s3, form)


def _names(seen: Observed, title: str) -> str:
    found = seen.error_fields.get("ArgumentName", "")
    return "" if found.lower() == title.lower() else f"ArgumentName was {found!r}"


@scenario(
    "POST-008",
    SHOULD,
    "PostObject",
    source=f"{_EQ}; LocalStack test_post_object_policy_conditions_validation_starts_with (recorded on AWS)",
    clients=("raw",),
)
def unmet_condition(s3: Scene) -> None:
    """A form that does not meet a condition of its policy is refused with 403 AccessDenied, naming the condition.

    S3 promises: eq and starts-with hold for the fields as sent, an absent field meets neither, and a field that no
    condition speaks of is not allowed at all.

    Breaks: whoever fills in a form could choose key, type and rights of the object freely; the policy is all that
    stands between a page and the bucket.

    Fix: check all conditions before the file is stored, and refuse fields that none of them covers.
    """
    _stores(s3, signed(s3, {"key": s3.key(), "acl": "private"}, [["starts-with", "$key", s3.prefix]]))
    key, other = s3.key("other"), {"key": s3.key("other")}
    for condition, sent in (
        (["eq", "$acl", "private"], {"acl": "public-read"}),
        (["eq", "$acl", "private"], {}),
        (["eq", "$x-amz-meta-a", "value"], {"x-amz-meta-a": "Value"}),
        (["starts-with", "$key", "elsewhere/"], {}),
        (["starts-with", "$Content-Type", "image/"], {"Content-Type": "text/html"}),
        (["eq", "$bucket", "another-bucket"], {}),
    ):
        s3.expect(post(s3, signed(s3, other | sent, [condition])), DENIED)
    s3.expect(post(s3, {"x-amz-meta-added": "later", **signed(s3, other)}), DENIED)
    s3.expect(s3.look("GetObject", Key=key), refused(404))


@scenario(
    "POST-009",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_object_policy_validation_size (recorded on AWS)",
    clients=("raw",),
)
def bounded_size(s3: Scene) -> None:
    """A file outside content-length-range is refused: 400 EntityTooLarge or EntityTooSmall, with limit and size.

    S3 promises: the condition bounds the file, both ends included. EntityTooLarge has MaxSizeAllowed and ProposedSize,
    EntityTooSmall MinSizeAllowed and ProposedSize. What was stored before under that key stays.

    Breaks: this condition is why forms exist beside presigned URLs. Ignored, anybody can fill the bucket with files of
    any size.

    Fix: count the bytes of the file part alone, and refuse as soon as they are too many.
    """
    form = signed(s3, {"key": s3.key()}, [["content-length-range", 10, 20]])
    for size in (10, 20):
        _stores(s3, form, b"x" * size)
    large = {"MaxSizeAllowed": "20", "ProposedSize": "21"}
    s3.expect(post(s3, form, b"y" * 21), refused(400, "EntityTooLarge", fields=large))
    small = {"MinSizeAllowed": "10", "ProposedSize": "9"}
    s3.expect(post(s3, form, b"y" * 9), refused(400, "EntityTooSmall", fields=small))
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(b"x" * 20))


@scenario("POST-010", EXTENDED, "PostObject", source=_EQ, clients=("raw",))
def condition_of_two(s3: Scene) -> None:
    """A condition that is an object with two keys makes the policy invalid: 400 InvalidPolicyDocument.

    S3 promises: {"acl": "private"} is short for one eq. An object with two members says nothing that S3 knows, and the
    whole document is refused.

    Breaks: strict validation; but a gateway that reads the first member only lets through what the author meant to
    forbid by the second.

    Fix: demand exactly one member, and refuse the document otherwise.
    """
    fields = {"key": s3.key(), "acl": "private"}
    s3.expect(post(s3, signed(s3, fields, only=[fields])), refused(400, "InvalidPolicyDocument"))
    _stores_nothing(s3)
    _stores(s3, signed(s3, fields))


@scenario(
    "POST-011",
    EXTENDED,
    "PostObject",
    source="LocalStack test_post_object_policy_casing (recorded on AWS)",
    clients=("raw",),
)
def case_of_fields(s3: Scene) -> None:
    """Names of form fields and of conditions count without regard to case; values count as they are.

    S3 promises: KEY, Key and key are one field, in the form as in the policy. Private is not private.

    Breaks: forms written by hand and libraries that capitalise names (Policy, X-Amz-Signature): a field that is not
    found is taken for missing.

    Fix: fold the names of fields and conditions; compare values byte by byte.
    """
    sent = {"KEY": s3.key(), "X-Amz-Meta-A": "Value"}
    conditions: list[Any] = [{"kEy": s3.key()}, ["eq", "$x-amz-META-a", "Value"]]
    form = signed(s3, sent, only=conditions)
    _stores(s3, {name.upper(): value for name, value in form.items()})
    s3.expect(s3.look("HeadObject", Key=s3.key()), ok(), metadata({"a": "Value"}))
    for name, value in (("KEY", s3.key().upper()), ("X-Amz-Meta-A", "value")):
        s3.expect(post(s3, {**form, name: value}), DENIED)
    s3.expect(post(s3, signed(s3, sent, only=exactly({"key": s3.key(), "x-amz-meta-a": "VALUE"}))), DENIED)
