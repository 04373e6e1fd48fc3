"""COPY: conditions on the source of CopyObject and UploadPartCopy."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.conditional_reads import CONTENT, Stored, stored
from scenarios.copies import source_of
from scenarios.etag import md5_etag
from scenarios.mpu import begin, nothing_stored, read_back
from scenarios.mpu_parts import lists

ETAG, OTHER = md5_etag(CONTENT), md5_etag(b"something else")
"""The ETag of the source, and one that no object here has."""


def failing(source: Stored) -> dict[str, dict[str, str]]:
    """Parameters whose condition does not hold for the source, by the end of the header's name."""
    return {
        "if-match": {"CopySourceIfMatch": OTHER},
        "if-none-match": {"CopySourceIfNoneMatch": ETAG},
        "if-modified-since": {"CopySourceIfModifiedSince": source.at()},
        "if-unmodified-since": {"CopySourceIfUnmodifiedSince": source.at(hours=-1)},
    }


def holding(source: Stored) -> dict[str, str]:
    """Parameters whose conditions all hold."""
    return {
        "CopySourceIfMatch": ETAG,
        "CopySourceIfNoneMatch": OTHER,
        "CopySourceIfModifiedSince": source.at(hours=-1),
        "CopySourceIfUnmodifiedSince": source.at(),
    }


def failed(condition: str) -> Matcher:
    """412 PreconditionFailed whose Condition is this header of the copy source, in any letter case."""
    wanted, header = refused(412, "PreconditionFailed"), f"x-amz-copy-source-{condition}"

    def test(seen: Observed) -> str:
        found = seen.error_fields.get("Condition")
        return wanted.test(seen) or ("" if str(found).lower() == header else f"Condition was {found!r}")

    return Matcher(f"{wanted.expected} with Condition {header}", test)


def _copy(s3: Scene, source: Stored, target: str, params: dict[str, Any]) -> Observed:
    return s3.call("CopyObject", Key=target, CopySource=source_of(s3, source.key), **params)


def _copy_part(s3: Scene, source: Stored, upload: dict[str, Any], params: dict[str, Any]) -> Observed:
    named = source_of(s3, source.key)
    return s3.call("UploadPartCopy", **upload, PartNumber=1, CopySource=named, **params)


@scenario(
    "COPY-016",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_preconditions (recorded on AWS)",
    clients=LIBRARIES,
)
def conditions_on_source(s3: Scene) -> None:
    """A condition on the copy source that fails is 412 PreconditionFailed, naming its header, and never 304.

    S3 promises: x-amz-copy-source-if-match, -if-none-match, -if-modified-since and -if-unmodified-since are
    evaluated on the source. Whichever fails, the answer is 412 with the header's name in Condition, and nothing is
    copied.

    Breaks: Hadoop's S3A renames under if-match so that it moves the version that it saw; where conditions are
    ignored it publishes somebody else's. SDKs take 304 for an answer without a body, not for an error.

    Fix: evaluate the four on the source's ETag and time before copying, and answer 412 for each.
    """
    source, target = stored(s3), s3.key("target")
    for condition, params in failing(source).items():
        s3.expect(_copy(s3, source, target, params), failed(condition))
        nothing_stored(s3, target)
    s3.expect(_copy(s3, source, target, dict(holding(source))), ok())
    read_back(s3, target, CONTENT)


@scenario(
    "COPY-017",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_preconditions (recorded on AWS)",
    clients=LIBRARIES,
)
def match_outweighs_date(s3: Scene) -> None:
    """A copy-source-if-match that holds outweighs a copy-source-if-unmodified-since that does not.

    S3 promises: the ETag is the better witness. Where both are sent and the ETag matches, the date is not looked
    at, and the copy is made.

    Breaks: programs that send both, the date rounded or taken from a clock that is behind, get 412 for an object
    that has not changed.

    Fix: evaluate if-unmodified-since only where there is no if-match, as RFC 9110 orders them.
    """
    source, target = stored(s3), s3.key("target")
    date = {"CopySourceIfUnmodifiedSince": source.at(hours=-1)}
    s3.expect(_copy(s3, source, target, date), refused(412, "PreconditionFailed"))
    s3.expect(_copy(s3, source, target, date | {"CopySourceIfMatch": ETAG}), ok())
    read_back(s3, target, CONTENT)


@scenario(
    "COPY-018",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_preconditions (recorded on AWS)",
    clients=LIBRARIES,
)
def future_date_is_ignored(s3: Scene) -> None:
    """A copy-source-if-modified-since in the future does not fail the copy.

    S3 promises: a date that has not come yet says nothing and is as if absent, as RFC 9110 has it for
    If-Modified-Since.

    Breaks: programs on machines whose clock is ahead: a copy "if changed since now" would never be made.

    Fix: compare the date with the server's clock first, and skip the condition if it lies ahead.
    """
    source, target = stored(s3), s3.key("target")
    past, future = ({"CopySourceIfModifiedSince": source.at(days=days)} for days in (0, 2))
    s3.expect(_copy(s3, source, target, past), refused(412, "PreconditionFailed"))
    s3.expect(_copy(s3, source, target, future), ok())
    read_back(s3, target, CONTENT)


@scenario(
    "COPY-027",
    SHOULD,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_with_copy_source_if_match_failed, "
    "test_upload_part_copy_with_copy_source_if_none_match_failed, "
    "test_upload_part_copy_with_if_modified_since_failed and "
    "test_upload_part_copy_with_copy_source_if_unmodified_since_match_failed (recorded on AWS)",
    clients=LIBRARIES,
)
def conditions_on_source_of_part(s3: Scene) -> None:
    """A condition on the source of UploadPartCopy that fails is 412 PreconditionFailed, naming its header.

    S3 promises: the four conditions work for a copied part as for a copied object, and no part comes of a copy that
    was refused.

    Breaks: large objects are copied in parts, each with if-match on the source's ETag (boto3's copy, the AWS SDK for
    Java): where it is ignored, a source that changes in between ends in an object mixed of both versions.

    Fix: share the evaluation with CopyObject.
    """
    source, upload = stored(s3), begin(s3, s3.key("target"))
    for condition, params in failing(source).items():
        s3.expect(_copy_part(s3, source, upload, params), failed(condition))
        s3.expect(s3.look("ListParts", **upload), ok(), lists())
    s3.expect(_copy_part(s3, source, upload, dict(holding(source))), ok())


@scenario(
    "COPY-028",
    SHOULD,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_with_copy_source_if_match_and_if_unmodified_since_match and "
    "test_upload_part_copy_with_copy_source_if_none_match_and_if_unmodified_since_match_failed (recorded on AWS)",
    clients=LIBRARIES,
)
def pairs_of_conditions_on_part(s3: Scene) -> None:
    """For a copied part the ETag decides: a matching if-match is 200 whatever the date, a failing if-none-match 412.

    S3 promises: if-match that holds beside if-unmodified-since that does not copies the part; if-none-match that
    fails beside if-modified-since that holds is 412.

    Breaks: programs that send both conditions of a pair because they know both values; the date has whole seconds
    and must not overrule the ETag.

    Fix: look at a date only where its ETag condition is absent.
    """
    source, upload = stored(s3), begin(s3, s3.key("target"))
    before = source.at(hours=-1)
    none = {"CopySourceIfNoneMatch": ETAG, "CopySourceIfModifiedSince": before}
    s3.expect(_copy_part(s3, source, upload, none), failed("if-none-match"))
    s3.expect(s3.look("ListParts", **upload), ok(), lists())
    match = {"CopySourceIfMatch": ETAG, "CopySourceIfUnmodifiedSince": before}
    s3.expect(_copy_part(s3, source, upload, match), ok())
