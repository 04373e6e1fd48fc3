"""In which families a defect is expected to be found: those that its subject belongs to."""

from __future__ import annotations

import functools
import re

from harness import scenario
from reference_server.defects import defects

_CATALOGUE = re.compile(r"\b([A-Z][A-Z0-9]*)-\d{3}\b")

_LISTS = "LST1 LST2"
_BY_SUBJECT = {
    "AUTH": """any-access-key any-region any-signature authorization-wants-spaces bad-signature-says-access-denied
        continue-never-sent error-request-id-constant error-type-binary
        header-spaces-kept host-unsigned-accepted payload-hash-ignored scope-date-unchecked skew-ignored""",
    "AUTH META": "path-encoded-twice slashes-merged",
    "AUTH RAW": "accept-encoding-rewritten keep-alive-dropped x-id-refused authorization-forbids-spaces",
    "AUTH PRE": "access-key-letters-only",
    "BKT": "any-bucket-name delete-bucket-200 delete-bucket-with-objects location-constraint-ignored",
    "BKT LST1 LST2": "missing-bucket-lists-empty",
    "BKT GET DEL LST1 LST2": "missing-bucket-says-no-such-key own-bucket-already-exists",
    "CHNK": "chunk-framing-stored chunk-signature-ignored decoded-length-ignored trailer-411 trailer-checksum-ignored",
    "CHNK META": "aws-chunked-415 aws-chunked-replayed trailer-payload-refused",
    "CKS": "checksum-header-501 checksum-header-ignored checksum-missing crc64nvme-refused",
    "COPY": """bad-copy-range-copies-all copy-last-modified-as-http-date copy-loses-metadata copy-self-empties
        copy-source-conditions-ignored copy-stores-nothing metadata-directive-ignored upload-part-copy-501
        upload-part-copy-stores-nothing""",
    "CRD": "checksum-on-304 conditional-reads-ignored length-zero-on-304",
    "CWR": "put-if-match-ignored put-overwrites-silently-with-if-none-match",
    "DEL": """content-md5-demanded delete-missing-404 delete-object-200 delete-objects-all-deleted
        delete-objects-versions-ignored delete-says-204-but-keeps quiet-ignored""",
    "ETAG": """bad-digest-500 content-md5-ignored etag-missing etag-not-md5 etag-unquoted etag-weak
        invalid-digest-says-bad-digest""",
    "GET": """cache-control-lost connection-reset-mid-body content-range-missing content-type-lost
        content-type-missing-on-head gzip-on-the-fly head-403-for-missing head-length-zero head-with-body
        head-without-length last-modified-as-iso-8601 last-modified-missing-on-get last-modified-utc
        last-modified-with-fraction last-modified-with-offset no-request-id part-number-200
        part-number-ignored range-200 range-ignored suffix-range-misread version-id-ignored""",
    "GET RAW": "redirect-307 slow-down-429",
    "LIM META RAW": "body-limit-413",
    "LMU": "list-uploads-of-missing-bucket-503 upload-id-marker-ignored upload-prefix-ignored",
    _LISTS: """delimiter-always-slash encoding-type-ignored encoding-type-not-echoed folder-keys-hidden
        keys-in-utf16-order keys-twice keys-unescaped keys-unsorted list-etag-unquoted
        list-last-modified-as-http-date list-repeats-common-prefixes list-root-renamed list-v1-404
        marker-inclusive max-keys-ignored max-keys-zero-truncated namespace-missing namespace-without-slash
        next-marker-unencoded object-hides-folder prefix-key-omitted prefix-needs-slash prefixes-uncounted
        prefixes-unencoded start-after-hides-prefix token-repeats truncated-when-full truncation-hidden
        xml-declaration-missing""",
    "LST2": "fetch-owner-ignored key-count-without-prefixes list-v2-answered-as-v1 start-after-ignored token-is-a-key "
    "truncated-without-token",
    "LVER": "versions-501 versions-oldest-first",
    "META": """dot-segments-refused file-and-folder-conflict metadata-dropped metadata-names-capitalised
        slashes-collapsed trailing-slash-dropped underscore-headers-dropped""",
    "MPU": """abort-unknown-204 complete-200-with-error complete-again-404 complete-etag-unquoted
        composite-etag-of-whole empty-part-refused incomplete-part-list-refused invalid-part-500
        max-parts-1000 multipart-501 multipart-metadata-dropped multipart-root-renamed no-such-upload-503
        part-etag-unchecked part-order-ignored part-size-unchecked""",
    "OPS CFG": """subresource-delete-deletes-bucket subresource-delete-deletes-object subresource-get-lists
        subresource-get-reads-object subresource-put-409 subresource-put-overwrites-object""",
    "POL AUTH": "everyone-is-owner",
    "PRE": "presigned-never-expires presigned-refused presigned-v2-refused",
    "RAW AUTH OPS": "empty-errors error-details-missing html-errors json-errors",
    "TAG": "get-tagging-501",
    "VER": "version-id-ignored-on-delete version-id-missing",
}
"""Defects that name no line of the catalogue, by the families that are about what is wrong in them."""

_FAMILIES = {name: frozenset(where.split()) for where, names in _BY_SUBJECT.items() for name in names.split()}


_ALSO = {
    name: frozenset(where.split())
    for where, names in {
        "AUTH": "dot-segments-refused",
        "CHNK CKS GET": "repeated-headers-apart",
        "JSSDK": "x-id-refused",
        "LIM": "empty-part-refused multipart-metadata-dropped",
        "LST1 LST2": "delimiter-last-place folder-hides-neighbour",
        "LVER META": "object-hides-folder",
        "OPS": "list-root-renamed",
        "PRE": "host-unsigned-accepted",
        "RAW": "checksum-on-304 gzip-on-the-fly length-zero-on-304 namespace-missing namespace-without-slash "
        "underscore-headers-dropped xml-declaration-missing",
        "VER LOCK": "version-id-ignored",
    }.items()
    for name in names.split()
}
"""Further families that look at what is wrong in a defect, though its sentence or subject names others."""


@functools.cache
def families(name: str) -> frozenset[str]:
    """The families in which one would look for a defect.

    Those of the catalogue lines in its sentence, or of its subject; all, if it breaks a rule for every exchange.
    """
    known = frozenset(found.family for found in scenario.of_s3().values())
    named = {"LINT", *known} & set(_CATALOGUE.findall(defects()[name].about))
    if named == {"LINT"}:
        return known
    return (frozenset(named - {"LINT"}) or _FAMILIES[name]) | _ALSO.get(name, frozenset())
