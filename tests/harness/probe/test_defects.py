"""Every defect of the reference server: what the probe finds of it, and that it finds nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.probe import knobs
from harness.record import UNKNOWN
from reference_server.defects import defects
from tests.harness.probe.conftest import Found, examine

NO_PARTS = {"use_multipart_etag": UNKNOWN, "min_chunk_size": UNKNOWN}
NO_TRAILERS = {
    "use_data_integrity_protections": "false",
    "request_checksum_calculation": "when_required",
    "request_checksum_calculation_cli": "when_required",
    "aws_chunked_replayed": UNKNOWN,
}
NO_CODE = {"object_lock_supported": UNKNOWN}
NO_LIST = {"list_version": "none"}
NO_HEAD = {"no_head": "true", "no_head_object": "true"}

FLIPS: dict[str, dict[str, str]] = {
    "accept-encoding-rewritten": {"sign_accept_encoding": "false"},
    "aws-chunked-415": NO_TRAILERS,
    "aws-chunked-replayed": {"aws_chunked_replayed": "yes"},
    "body-limit-413": {"upload_limit": "5Mi", "use_multipart_uploads": UNKNOWN, **NO_PARTS},
    "checksum-header-501": {
        "use_data_integrity_protections": "false",
        "request_checksum_calculation": "when_required",
        "request_checksum_calculation_cli": "when_required",
        "delete_objects": "content-md5",
    },
    "checksum-header-ignored": {"use_data_integrity_protections": "false", "checksum_verified": "no"},
    "checksum-on-304": {"response_checksum_validation": "when_required"},
    "chunk-framing-stored": {**NO_TRAILERS, "checksum_verified": "no"},
    "composite-etag-of-whole": {"use_multipart_etag": "false"},
    "content-md5-demanded": {"delete_objects": "content-md5"},
    "continue-never-sent": {"expect_continue": "no"},
    "crc64nvme-refused": {"request_checksum_calculation_cli": "when_required"},
    "empty-errors": NO_CODE,
    "encoding-type-ignored": {
        "list_url_encode": "false",
        "list_url_encode_v1": "broken",
        "encoding_type": "ignored",
        "encoding": "Slash,InvalidUtf8,Dot,Ctl",
    },
    "encoding-type-not-echoed": {"encoding_type": "not echoed"},
    "etag-missing": {"etag_is_not_md5": "true", "use_multipart_etag": "false"},
    "etag-not-md5": {"etag_is_not_md5": "true"},
    "etag-weak": {"etag_is_not_md5": "true", "use_multipart_etag": "false"},
    "folder-keys-hidden": {"directory_markers": "no"},
    "get-tagging-501": {"copy_props": "metadata-directive"},
    "gzip-on-the-fly": {"might_gzip": "true"},
    "head-403-for-missing": {"head_missing": "403"},
    "head-length-zero": NO_HEAD,
    "head-without-length": NO_HEAD,
    "html-errors": NO_CODE,
    "json-errors": NO_CODE,
    "keys-in-utf16-order": {"list_order": "unsorted"},
    "keys-unescaped": {"list_url_encode": "true"},
    "keys-unsorted": {"list_order": "unsorted"},
    "list-repeats-common-prefixes": NO_LIST,
    "list-v1-404": {"list_version": "2", "list_url_encode_v1": "broken"},
    "list-v2-answered-as-v1": {"list_version": "1"},
    "marker-inclusive": NO_LIST,
    "max-parts-1000": {"max_upload_parts": "1000"},
    "multipart-501": {
        "use_multipart_uploads": "false",
        "copy_cutoff": "1Pi",
        "max_upload_parts": UNKNOWN,
        "upload_limit": UNKNOWN,
        **NO_PARTS,
    },
    "next-marker-unencoded": {"list_url_encode_v1": "broken"},
    "own-bucket-already-exists": {"use_already_exists": "false"},
    "path-encoded-twice": dict.fromkeys(
        ("list_url_encode", "list_url_encode_v1", "encoding_type", "list_order", "encoding"), UNKNOWN
    ),
    "prefix-key-omitted": {"directory_markers": "no"},
    "prefixes-unencoded": {"list_url_encode": "false", "list_url_encode_v1": "broken"},
    "presigned-refused": {"signature_version": "none"},
    "presigned-v2-refused": {"signature_version": "s3v4"},
    "slow-down-429": {"concurrency": "few"},
    "subresource-get-lists": {"object_lock_supported": "false"},
    "subresource-get-reads-object": {"copy_props": "metadata-directive"},
    "token-repeats": NO_LIST,
    "trailer-411": NO_TRAILERS,
    "trailer-checksum-ignored": {"use_data_integrity_protections": "false", "checksum_verified": "no"},
    "trailer-payload-refused": NO_TRAILERS,
    "trailing-slash-dropped": {"directory_markers": "no"},
    "truncated-without-token": NO_LIST,
    "truncation-hidden": NO_LIST,
    "upload-part-copy-501": {"copy_cutoff": "1Pi"},
    "upload-part-copy-stores-nothing": {"copy_cutoff": "1Pi"},
    "versions-501": {"versioning": "no", "list_versions_oldest_first": UNKNOWN},
    "versions-oldest-first": {"list_versions_oldest_first": "true"},
    "x-id-refused": {"use_x_id": "false"},
}
"""Defect -> value of each knob that it changes. All others that a gateway was seen with change nothing."""

ALL = {knob.name for knob in knobs.KNOBS}
UNUSABLE: dict[str, set[str]] = {
    "authorization-forbids-spaces": {"disable_http2", "concurrency"},
    "connection-reset-mid-body": {"use_already_exists", "no_check_bucket", "disable_http2", "concurrency"},
    "redirect-307": {"use_already_exists", "no_check_bucket", "disable_http2", "concurrency"},
}
"""Defects after which nothing can be stored or read as it is sent here -> the knobs that are still known."""

_SEEN = re.compile(r"[\w.-]+/[\w.-]+[#@]\w+")
INDIFFERENT = sorted(
    name for name, found in defects().items() if _SEEN.search(found.about) and name not in {*FLIPS, *UNUSABLE}
)
"""Those that a gateway was seen with. What only a line of the catalogue names is for the scenarios to find."""


def differences(flawed: Found, honest: Found) -> dict[str, str]:
    """The knobs of which another value is best, or other values work."""
    return {
        name: finding.value
        for name, finding in flawed.items()
        if (finding.value, set(finding.working)) != (honest[name].value, set(honest[name].working))
    }


def test_the_honest_server_is_standard_in_everything(honest: Found) -> None:
    """Each knob has the value that Amazon S3 has, and none is unknown."""
    assert {knob.name: knob.standard for knob in knobs.KNOBS} == {name: one.value for name, one in honest.items()}


@pytest.mark.parametrize("defect", sorted(FLIPS))
def test_a_defect_flips_its_knobs_and_no_other(defect: str, tmp_path: Path, honest: Found) -> None:
    """Exactly those, to exactly these values."""
    assert differences(examine(tmp_path, defect), honest) == FLIPS[defect]


@pytest.mark.parametrize("defect", INDIFFERENT)
def test_a_defect_of_no_knob_flips_nothing(defect: str, tmp_path: Path, honest: Found) -> None:
    """Whatever else is wrong, no client is advised anything because of it."""
    assert differences(examine(tmp_path, defect), honest) == {}


@pytest.mark.parametrize("defect", sorted(UNUSABLE))
def test_where_nothing_can_be_stored_nothing_is_known(defect: str, tmp_path: Path) -> None:
    """And each finding says why, instead of taking the failure for its own."""
    flawed = examine(tmp_path, defect)
    assert {name for name, one in flawed.items() if one.value != UNKNOWN} == UNUSABLE[defect]
    unknown = [one.observation for one in flawed.values() if one.value == UNKNOWN]
    assert all(text.startswith("Not known: ") and "made sense of" not in text for text in unknown)


def test_every_defect_is_looked_at() -> None:
    """The tables name real defects, and most defects concern no knob."""
    assert set(FLIPS) | set(UNUSABLE) <= set(defects())
    assert len(INDIFFERENT) > len(FLIPS)
    assert set().union(*FLIPS.values()) <= ALL
