"""Every row of the verdict table, from observation and profile alone."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.profile import Deviation, OperationEntry, Profile, Signature
from harness.record import VERDICTS, Observation, Step
from harness.verdict import Judgement, judge

TODAY = dt.date(2026, 6, 1)
STANDARD = Profile("aws", "Amazon S3")
REFUSED = Signature(status=501, code="NotImplemented")


def step(operation: str = "DeleteObject", *, ok: bool = False, role: Any = "client", **changes: Any) -> Step:
    shown = {"status": 200 if ok else 501, "code": "" if ok else "NotImplemented", "message": "" if ok else "not here"}
    return Step(operation, role, ok=ok, **(shown | changes))


def seen(outcome: Any, *steps: Step, failing: int | None = None, text: str = "what was seen") -> Observation:
    return Observation(outcome, text, list(steps), len(steps) - 1 if failing is None else failing)


def verdict(observation: Observation, profile: Profile = STANDARD, client: str = "raw", today: dt.date = TODAY) -> str:
    return judge("DEL-001", client, observation, profile, today).verdict


def absent(*accept: Signature, operation: str = "DeleteObject", clients: tuple[str, ...] = ()) -> Profile:
    entry = OperationEntry("no", "no deletes", "guide", list(accept or (REFUSED,)), clients=list(clients))
    return Profile("gw", "Gateway", operations={operation: entry})


def differs(*entries: Signature, **changes: Any) -> Profile:
    return Profile(
        "gw",
        "Gateway",
        deviations=[Deviation(["DEL-000", "DEL-001"], [entry], "why", "guide", **changes) for entry in entries],
    )


def hollow(support: Any = "dummy", accept: Signature | None = None) -> Profile:
    """A gateway that answers a delete, and does nothing."""
    entry = OperationEntry(support, "never deletes", "guide", [accept or Signature(status=204)])
    return Profile("gw", "Gateway", operations={"DeleteObject": entry})


# --- without a word in the profile ---


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (seen("match", step(ok=True)), Judgement("conforms", "")),
        (seen("match"), Judgement("conforms", "")),
        (seen("mismatch", step()), Judgement("violates", "what was seen")),
        (seen("mismatch", step(ok=True)), Judgement("violates", "what was seen")),
        (seen("mismatch"), Judgement("violates", "what was seen")),
        (seen("prerequisite", step("PutObject", role="setup")), Judgement("blocked", "what was seen")),
        (seen("inexpressible"), Judgement("inapplicable", "what was seen")),
        (seen("failure"), Judgement("error", "what was seen")),
    ],
)
def test_against_the_standard(observation, expected):
    assert judge("DEL-001", "raw", observation, STANDARD, TODAY) == expected


# --- operations that are documented as not offered ---


def test_refused_as_documented_is_unsupported():
    found = judge("DEL-001", "raw", seen("mismatch", step()), absent(), TODAY)
    assert found == Judgement(
        "unsupported", "DeleteObject is refused as documented: no deletes", "operations.DeleteObject"
    )


def test_any_of_the_accepted_refusals_will_do():
    profile = absent(Signature(status=403, message="immutable"), REFUSED)
    assert verdict(seen("mismatch", step()), profile) == "unsupported"
    other = step(status=403, code="AccessDenied", message="is immutable.")
    assert verdict(seen("mismatch", other), profile) == "unsupported"


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403},
        {"status": 500, "code": "InternalError"},
        {"code": "AccessDenied"},
        {"status": 404, "code": "NotImplemented"},
        {"status": None, "code": "", "message": "connection closed without an answer"},
        {"status": None, "code": "", "message": "no complete answer within 30 s", "exit_code": -9},
    ],
)
def test_refused_otherwise_than_documented_violates(answer):
    """An endpoint that hangs up or falls over has not refused anything."""
    found = judge("DEL-001", "raw", seen("mismatch", step(**answer)), absent(), TODAY)
    assert found.verdict == "violates"
    assert found.entry == "operations.DeleteObject"
    assert "what was seen" in found.message


def test_offered_after_all_contradicts():
    """Documented as absent but works: the profile is wrong, whether or not the statement held."""
    for outcome in ("match", "mismatch"):
        found = judge("DEL-001", "raw", seen(outcome, step(ok=True, status=204)), absent(), TODAY)
        assert found.verdict == "contradicts"
        assert found.entry == "operations.DeleteObject"
        assert "no deletes" in found.message


def test_a_program_that_calls_a_refusal_a_success_does_not_make_the_profile_wrong():
    """`rclone` may end with exit code 0; the status tells."""
    liar = step(ok=True, status=501, code="NotImplemented", exit_code=0)
    assert verdict(seen("mismatch", liar), absent(), "rclone") == "unsupported"


def test_a_statement_that_a_refusal_satisfies_conforms():
    """Some statements only ask that something is refused."""
    assert verdict(seen("match", step()), absent()) == "conforms"


def test_a_failure_of_another_operation_is_not_excused():
    observation = seen("mismatch", step("GetObject", status=500, code="InternalError"), step(), failing=0)
    assert verdict(observation, absent()) == "violates"


def test_only_the_failing_step_excuses():
    """A documented refusal somewhere in the cell does not excuse another failure in it."""
    observation = seen("mismatch", step(), step("GetObject", status=500, code="InternalError"), failing=1)
    assert verdict(observation, absent()) == "violates"


@pytest.mark.parametrize("failing", [-1, 7])
def test_a_mismatch_without_a_step_violates(failing):
    assert verdict(seen("mismatch", step(), failing=failing), absent()) == "violates"
    assert verdict(seen("mismatch", step(), failing=failing), differs(REFUSED)) == "violates"


# --- prerequisites ---


def test_a_prerequisite_refused_as_documented_is_unsupported():
    assert verdict(seen("prerequisite", step(role="setup")), absent()) == "unsupported"


def test_a_prerequisite_refused_otherwise_than_documented_violates():
    assert verdict(seen("prerequisite", step(role="setup", status=500, code="")), absent()) == "violates"


def test_a_prerequisite_without_a_word_about_it_blocks():
    assert verdict(seen("prerequisite", step("PutObject", role="setup")), absent()) == "blocked"
    assert verdict(seen("prerequisite"), absent()) == "blocked"


def test_a_prerequisite_that_fails_as_the_scenario_s_deviation_documents_is_unsupported():
    """The statement was never reached, so no difference was seen; but why it cannot be reached is documented."""
    found = judge("DEL-001", "raw", seen("prerequisite", step(role="setup")), differs(REFUSED), TODAY)
    assert (found.verdict, found.entry) == ("unsupported", "deviations.DEL-001")
    assert "why" in found.message


def test_a_prerequisite_that_fails_otherwise_than_the_deviation_documents_blocks():
    assert verdict(seen("prerequisite", step(role="setup", status=500, code="")), differs(REFUSED)) == "blocked"


# --- operations that answer, and do nothing ---


@pytest.mark.parametrize("support", ["dummy", "noop"])
def test_an_answer_without_effect_as_documented_is_unsupported(support):
    answered = seen("mismatch", step(ok=True, status=204))
    found = judge("DEL-001", "raw", answered, hollow(support), TODAY)
    assert (found.verdict, found.entry) == ("unsupported", "operations.DeleteObject")
    assert "never deletes" in found.message


@pytest.mark.parametrize("support", ["dummy", "noop"])
def test_an_answer_other_than_the_documented_dummy_violates(support):
    assert verdict(seen("mismatch", step(ok=True, status=200)), hollow(support)) == "violates"
    assert verdict(seen("mismatch", step(status=500, code="")), hollow(support)) == "violates"


def test_a_statement_that_holds_of_a_dummy_conforms():
    """Some statements ask no more than the answer that it gives."""
    assert verdict(seen("match", step(ok=True, status=204)), hollow()) == "conforms"


@pytest.mark.parametrize("support", ["full", "partial"])
def test_what_is_offered_is_judged_like_everything_else(support):
    profile = Profile("gw", "Gateway", operations={"DeleteObject": OperationEntry(support, "works", "guide")})
    assert verdict(seen("match", step(ok=True)), profile) == "conforms"
    assert verdict(seen("mismatch", step()), profile) == "violates"
    assert verdict(seen("prerequisite", step(role="setup")), profile) == "blocked"


# --- documented differences ---


def test_a_difference_as_documented_deviates():
    found = judge("DEL-001", "raw", seen("mismatch", step(ok=True)), differs(Signature(status=200)), TODAY)
    assert found == Judgement("deviates", "as documented: why", "deviations.DEL-001")


@pytest.mark.parametrize(
    ("clients", "client", "expected"),
    [
        ([], "awscli@1.44.84", "deviates"),
        (["awscli"], "awscli@1.44.84", "deviates"),
        (["awscli@1"], "awscli@1.44.84", "deviates"),
        (["awscli@1.44"], "awscli@1.44.84", "deviates"),
        (["awscli@1.44.84"], "awscli@1.44.84", "deviates"),
        (["awscli@1.4"], "awscli@1.44.84", "violates"),
        (["awscli@2"], "awscli@1.44.84", "violates"),
        (["awscli@2", "awscli@1"], "awscli@1.44.84", "deviates"),
        (["aws"], "awscli@1.44.84", "violates"),
        (["rclone@1"], "awscli@1.44.84", "violates"),
    ],
)
def test_a_difference_may_be_documented_for_some_versions_of_a_client(clients, client, expected):
    profile = differs(Signature(status=200), clients=clients)
    assert judge("DEL-001", client, seen("mismatch", step(ok=True)), profile, TODAY).verdict == expected


def test_a_difference_other_than_documented_violates():
    found = judge("DEL-001", "raw", seen("mismatch", step(status=500)), differs(REFUSED), TODAY)
    assert found.verdict == "violates"
    assert found.entry == "deviations.DEL-001"
    assert "why" in found.message
    assert "what was seen" in found.message


def test_a_difference_that_is_not_seen_contradicts():
    found = judge("DEL-001", "raw", seen("match", step(ok=True)), differs(REFUSED), TODAY)
    assert found.verdict == "contradicts"
    assert found.entry == "deviations.DEL-001"


@pytest.mark.parametrize(("outcome", "expected"), [("failure", "error"), ("inexpressible", "inapplicable")])
def test_what_was_not_judged_is_never_expected(outcome, expected):
    for profile in (differs(REFUSED), absent()):
        assert verdict(seen(outcome, step()), profile) == expected


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        (None, "deviates"),
        (TODAY, "deviates"),
        (TODAY + dt.timedelta(days=1), "deviates"),
        (TODAY - dt.timedelta(days=1), "violates"),
    ],
)
def test_an_expired_entry_is_void(expires, expected):
    """It counts up to and on its last day; afterwards the difference is undocumented, its absence fine."""
    profile = differs(REFUSED, expires=expires)
    assert verdict(seen("mismatch", step()), profile) == expected
    assert verdict(seen("match", step(ok=True)), profile) == ("contradicts" if expected == "deviates" else "conforms")


def test_a_difference_that_only_some_runs_see_contradicts_nothing_where_it_is_not_seen():
    profile = differs(REFUSED, sometimes=True)
    assert verdict(seen("match", step(ok=True)), profile) == "conforms"
    assert verdict(seen("mismatch", step()), profile) == "deviates"
    assert verdict(seen("mismatch", step(status=500)), profile) == "violates"


def test_an_entry_of_another_scenario_does_not_count():
    assert judge("DEL-002", "raw", seen("mismatch", step()), differs(REFUSED), TODAY).verdict == "violates"


def test_several_entries_are_several_accepted_ways():
    profile = differs(Signature(status=404), REFUSED)
    assert verdict(seen("mismatch", step(status=404, code="")), profile) == "deviates"
    assert verdict(seen("mismatch", step()), profile) == "deviates"
    assert verdict(seen("mismatch", step(status=500)), profile) == "violates"


def test_a_deviation_comes_before_an_operation():
    """The entry that is about the scenario says more than the one about its operation, but does not undo it."""
    profile = msgspec.structs.replace(differs(Signature(status=404)), operations=absent().operations)
    assert verdict(seen("mismatch", step(status=404, code="")), profile) == "deviates"
    assert verdict(seen("mismatch", step()), profile) == "unsupported"
    assert verdict(seen("mismatch", step(status=500, code="")), profile) == "violates"
    assert verdict(seen("match", step(ok=True)), profile) == "contradicts"


def test_a_difference_that_no_status_shows_is_known_by_what_was_found():
    profile = differs(Signature(status=200, found="there is no ETag"))
    shown = step(ok=True)
    assert verdict(seen("mismatch", shown, text="there is no ETag header"), profile) == "deviates"
    assert verdict(seen("mismatch", shown, text="the ETag was x"), profile) == "violates"
    assert verdict(seen("mismatch", step(ok=True, status=206), text="there is no ETag header"), profile) == "violates"
    only = differs(Signature(found="order"))
    assert verdict(seen("mismatch", failing=-1, text="keys out of order"), only) == "deviates"


# --- entries for some clients only ---


@pytest.mark.parametrize(("client", "expected"), [("rclone", "deviates"), ("boto3", "violates")])
def test_a_deviation_of_one_client(client, expected):
    assert verdict(seen("mismatch", step()), differs(REFUSED, clients=["rclone", "awscli"]), client) == expected


@pytest.mark.parametrize(("client", "expected"), [("rclone", "unsupported"), ("boto3", "violates")])
def test_an_operation_refused_to_one_client(client, expected):
    assert verdict(seen("mismatch", step()), absent(clients=("rclone",)), client) == expected


def test_set_up_and_witness_are_raw_http_not_the_client():
    """That raw HTTP may do what is refused to rclone contradicts nothing."""
    profile = absent(operation="PutObject", clients=("rclone",))
    for role in ("setup", "witness"):
        observation = seen("match", step("PutObject", ok=True, role=role), step("GetObject", ok=True))
        assert verdict(observation, profile, "rclone") == "conforms"
    assert verdict(seen("match", step("PutObject", ok=True)), profile, "rclone") == "contradicts"
    raw_only = absent(operation="PutObject", clients=("raw",))
    assert verdict(seen("prerequisite", step("PutObject", role="setup")), raw_only, "rclone") == "unsupported"


# --- signatures ---


@pytest.mark.parametrize(
    ("signature", "answer", "matches"),
    [
        (Signature(status=501), {}, True),
        (Signature(status=404), {}, False),
        (Signature(code="NotImplemented"), {}, True),
        (Signature(code="notimplemented"), {}, False),
        (Signature(message="not"), {}, True),
        (Signature(message="gone"), {}, False),
        (Signature(headers={"x-a": "1"}), {"headers": {"x-a": "1", "x-b": "2"}}, True),
        (Signature(headers={"x-a": "1"}), {"headers": {"x-a": "2"}}, False),
        (Signature(headers={"x-a": "1"}), {"headers": {"x-b": "1"}}, False),
        (Signature(501, "NotImplemented", "not", {"x-a": "1"}), {"headers": {"x-a": "1"}}, True),
        (Signature(501, "NotImplemented", "not", {"x-a": "1"}), {"headers": {"x-a": "2"}}, False),
        # what the client does not show is not held against it
        (Signature(501, "NotImplemented", "not"), {"code": "", "message": ""}, True),
        (Signature(501, "NotImplemented"), {"status": None}, True),
        (Signature(501, headers={"x-a": "1"}), {}, True),
        (Signature(501, "NotImplemented"), {"code": "", "operation": "HeadObject", "headers": {"x-b": "1"}}, True),
        # but what it would show if it were there must be there
        (Signature(501, "NotImplemented"), {"code": "", "headers": {"x-b": "1"}}, False),
        (Signature(501, message="not"), {"message": "", "headers": {"x-b": "1"}}, False),
        # but something must be seen
        (Signature(code="NotImplemented"), {"code": ""}, False),
        (Signature(message="immutable"), {"message": "", "status": 500}, False),
        (Signature(status=501), {"status": None, "code": "", "message": "died"}, False),
        (Signature(headers={"x-a": "1"}), {}, False),
        (Signature(), {}, False),
    ],
)
def test_signature(signature, answer, matches):
    assert signature.matches(step(**answer)) is matches


# --- purity ---

STEPS = st.builds(
    Step,
    operation=st.sampled_from(["DeleteObject", "PutObject"]),
    role=st.sampled_from(["client", "setup", "witness"]),
    ok=st.booleans(),
    status=st.sampled_from([None, 200, 204, 403, 404, 501]),
    code=st.sampled_from(["", "NotImplemented", "AccessDenied"]),
    message=st.sampled_from(["", "immutable"]),
)
OBSERVATIONS = st.builds(
    Observation,
    outcome=st.sampled_from(["match", "mismatch", "prerequisite", "inexpressible", "failure"]),
    text=st.just("text"),
    steps=st.lists(STEPS, max_size=3),
    failing=st.integers(-1, 3),
)
PROFILES = st.sampled_from(
    [
        STANDARD,
        absent(),
        absent(clients=("rclone",)),
        absent(operation="PutObject"),
        differs(REFUSED),
        differs(REFUSED, clients=["raw"]),
        differs(REFUSED, expires=TODAY),
    ]
)


@given(OBSERVATIONS, PROFILES, st.sampled_from(["raw", "rclone"]), st.integers(-1, 1))
def test_judging_is_a_pure_function_of_what_the_run_file_keeps(observation, profile, client, days):
    """The same verdict again, from arguments left untouched, and after a way through the run file."""
    before = copy.deepcopy((observation, profile))
    today = TODAY + dt.timedelta(days=days)
    found = judge("DEL-001", client, observation, profile, today)
    kept = msgspec.json.decode(msgspec.json.encode(observation), type=Observation)
    assert judge("DEL-001", client, kept, profile, today) == found
    assert (observation, profile) == before
    assert found.verdict in VERDICTS


@given(OBSERVATIONS, PROFILES, st.sampled_from(["raw", "rclone"]))
def test_laws_of_the_table(observation, profile, client):
    """What holds whatever was seen and documented."""
    found = judge("DEL-001", client, observation, profile, TODAY)
    assert (found.verdict == "error") == (observation.outcome == "failure")
    assert (found.verdict == "inapplicable") == (observation.outcome == "inexpressible")
    if found.verdict in ("deviates", "unsupported", "contradicts"):
        assert found.entry is not None
        assert profile != STANDARD
    if observation.outcome == "match":
        assert found.verdict in ("conforms", "contradicts")
    else:
        assert found.verdict != "conforms"
    if found.verdict == "blocked":
        assert observation.outcome == "prerequisite"
    if found.verdict != "conforms":
        assert found.message


# --- the truth table of the design ---

HELD = seen("match", step(ok=True))
DIFFERS = seen("mismatch", step())
DIFFERS_OTHERWISE = seen("mismatch", step(status=500, code="InternalError"))
SET_UP = seen("prerequisite", step(role="setup"))
SET_UP_OTHERWISE = seen("prerequisite", step(role="setup", status=500, code="InternalError"))
DEVIATION, REFUSAL = differs(REFUSED), absent()
DUMMY, NOOP = (hollow(support, REFUSED) for support in ("dummy", "noop"))
FULL, PARTIAL = (
    Profile("gw", "Gateway", operations={"DeleteObject": OperationEntry(support, "works", "guide")})
    for support in ("full", "partial")
)


@pytest.mark.parametrize(
    ("what", "verdicts"),
    [
        # undocumented, full, partial, deviation, no, dummy, noop
        (HELD, "conforms conforms conforms contradicts contradicts conforms conforms"),
        (DIFFERS, "violates violates violates deviates unsupported unsupported unsupported"),
        (DIFFERS_OTHERWISE, "violates violates violates violates violates violates violates"),
        (SET_UP, "blocked blocked blocked unsupported unsupported unsupported unsupported"),
        (SET_UP_OTHERWISE, "blocked blocked blocked blocked violates violates violates"),
        (seen("inexpressible"), "inapplicable " * 7),
        (seen("failure"), "error " * 7),
    ],
)
def test_truth_table(what: Observation, verdicts: str) -> None:
    documented = (STANDARD, FULL, PARTIAL, DEVIATION, REFUSAL, DUMMY, NOOP)
    assert [verdict(what, profile) for profile in documented] == verdicts.split()
