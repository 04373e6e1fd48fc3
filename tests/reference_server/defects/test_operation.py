"""Defects of operations: members of the input that are not read, or misread."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.reference_server.catalogue.steps import Upload, fields, texts, tree
from tests.reference_server.conftest import OTHER
from tests.reference_server.defects.probing import (
    ETAG,
    TEN,
    Lab,
    Probe,
    empty,
    keys,
    names_in,
    one,
    target,
    version_ids,
    versioned,
)

LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"
SENT = {
    "Content-Type": "text/css",
    "Cache-Control": "no-cache",
    "Content-Disposition": "inline",
    "x-amz-meta-color": "blue",
}
COLOR, TYPE = "x-amz-meta-color", "content-type"


def kept(lab: Lab, path: str, *names: str) -> list[str | None]:
    """Headers of an object."""
    found = lab.raw("HEAD", path).headers
    return [found.get(name) for name in names]


def put(*names: str) -> Callable[[Lab, str], list[str | None]]:
    """What an upload keeps of its headers."""

    def ask(lab: Lab, bucket: str) -> list[str | None]:
        assert lab.raw("PUT", f"/{bucket}/new", TEN, SENT).status == 200
        return kept(lab, f"/{bucket}/new", *names)

    return ask


def multipart(*names: str) -> Callable[[Lab, str], list[str | None]]:
    """What a multipart upload keeps of its headers."""

    def ask(lab: Lab, bucket: str) -> list[str | None]:
        assert Upload(lab.raw, f"/{bucket}/parts", SENT).finish(TEN).status == 200
        return kept(lab, f"/{bucket}/parts", *names)

    return ask


def copy(headers: Mapping[str, str], *names: str) -> Callable[[Lab, str], tuple[int, list[str | None]]]:
    """Status of a copy, and what it has of the headers of its source."""

    def ask(lab: Lab, bucket: str) -> tuple[int, list[str | None]]:
        reply = lab.raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"/{bucket}/key", **headers})
        return reply.status, kept(lab, f"/{bucket}/copy", *names)

    return ask


def read(query: str = "", headers: Mapping[str, str] | None = None) -> Callable[[Lab, str], tuple[int, bytes]]:
    """Status and data of a download."""

    def ask(lab: Lab, bucket: str) -> tuple[int, bytes]:
        reply = lab.raw("GET", f"/{bucket}/key{query}", headers=headers)
        return reply.status, reply.body

    return ask


def overwrite(condition: Mapping[str, str]) -> Callable[[Lab, str], tuple[int, bytes]]:
    """Status of an upload with a condition, and what is there then."""

    def ask(lab: Lab, bucket: str) -> tuple[int, bytes]:
        reply = lab.raw("PUT", f"/{bucket}/key", b"other", condition)
        return reply.status, lab.raw("GET", f"/{bucket}/key").body

    return ask


def listed(query: str, *paths: str) -> Callable[[Lab, str], list[str]]:
    """Texts of a listing."""

    def ask(lab: Lab, bucket: str) -> list[str]:
        page = tree(lab.raw("GET", target(bucket, query)))
        return [text for path in paths for text in texts(page, path)]

    return ask


def refused(query: str) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of a listing."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        reply = lab.raw("GET", target(bucket, query))
        return reply.status, reply.code

    return ask


def upload_keys(lab: Lab, bucket: str, query: str) -> list[str]:
    """Keys of the uploads `a` and twice `b`, as a query selects them."""
    started = [Upload(lab.raw, f"/{bucket}/{key}") for key in ("a", "b", "b")]
    second = tree(lab.raw("GET", target(bucket, "uploads&prefix=b&max-uploads=1")))
    first_of_b = fields(second)["NextUploadIdMarker"] if started else ""
    return listed(f"uploads&{query.format(first_of_b)}", "Upload/Key")(lab, bucket)


def older(lab: Lab, bucket: str) -> tuple[int, bytes]:
    """The older of two versions, asked by its id."""
    return read(f"?versionId={version_ids(lab, bucket)[1]}")(lab, bucket)


def delete_newer(lab: Lab, bucket: str) -> list[bytes]:
    """What is read after the newer of two versions was deleted, and how many there are then."""
    lab.raw("DELETE", f"/{bucket}/key?versionId={version_ids(lab, bucket)[0]}")
    return [lab.raw("GET", f"/{bucket}/key").body[:5], str(len(version_ids(lab, bucket))).encode()]


def part_of(headers: Mapping[str, str]) -> Callable[[Lab, str], tuple[int, str]]:
    """Status of a part copied from the object, and the size that is listed."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        upload = Upload(lab.raw, f"/{bucket}/parts")
        return upload.copy(1, f"/{bucket}/key", headers).status, upload.listed().element("Size")

    return ask


def another(lab: Lab, bucket: str) -> tuple[int, int]:
    """Another account reads and deletes."""
    raw = lab.running.raw(OTHER)
    return raw("GET", f"/{bucket}/key").status, raw("DELETE", f"/{bucket}/key").status


def token(lab: Lab, bucket: str) -> tuple[bool, int]:
    """Whether the token is the last key, and what comes of a token made up."""
    page = lab.raw("GET", f"/{bucket}?list-type=2&max-keys=1")
    made_up = lab.raw("GET", f"/{bucket}?list-type=2&continuation-token=a%26")
    return page.element("NextContinuationToken") == "a", made_up.status


def buckets_token(lab: Lab, bucket: str) -> tuple[bool, list[str]]:
    """Whether the token of a page is a bucket's name, and where it leads."""
    query = f"/?max-buckets=1&prefix={bucket}"
    for end in "abc":
        assert lab.raw("PUT", f"/{bucket}-{end}").status == 200
    page = lab.raw("GET", query)
    shown = page.element("ContinuationToken")
    follower = lab.raw("GET", f"/?continuation-token={shown.replace('=', '%3D')}&max-buckets=1&prefix={bucket}")
    return shown == bucket, [name.removeprefix(bucket) for name in follower.elements("Name")]


UPLOADED = ["text/css", "no-cache", "inline", "blue"]
NAMES = (TYPE, "cache-control", "content-disposition", COLOR)
DEFAULT_TYPE = "binary/octet-stream"

PROBES = {
    "bad-copy-range-copies-all": Probe(part_of({"x-amz-copy-source-range": "bytes=2-"}), (400, ""), (200, "10")),
    "buckets-token-is-a-name": Probe(buckets_token, (False, ["-a"]), (True, ["-a"]), empty),
    "cache-control-lost": Probe(put(*NAMES), UPLOADED, ["text/css", None, None, "blue"], empty),
    "conditional-reads-ignored": Probe(
        lambda lab, b: [
            read(headers=condition)(lab, b)[0]
            for condition in ({"If-None-Match": ETAG}, {"If-Match": '"0"'}, {"If-Unmodified-Since": LONG_AGO})
        ],
        [304, 412, 412],
        [200, 200, 200],
    ),
    "content-type-lost": Probe(put(*NAMES), UPLOADED, [DEFAULT_TYPE, *UPLOADED[1:]], empty),
    "copy-loses-metadata": Probe(copy({}, COLOR, TYPE), (200, ["red", "text/plain"]), (200, [None, DEFAULT_TYPE])),
    "copy-source-conditions-ignored": Probe(
        lambda lab, b: copy({"x-amz-copy-source-if-match": '"0"'})(lab, b)[0], 412, 200
    ),
    "encoding-type-ignored": Probe(
        listed("list-type=2&encoding-type=url", "Contents/Key", "EncodingType"), ["a+b", "url"], ["a b"], keys("a b")
    ),
    "everyone-is-owner": Probe(another, (403, 403), (200, 204)),
    "fetch-owner-ignored": Probe(
        lambda lab, b: len(listed("list-type=2&fetch-owner=true", "Contents/Owner/ID")(lab, b)), 1, 0
    ),
    "lone-version-marker-accepted": Probe(
        refused("versions&version-id-marker=3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"), (400, "InvalidArgument"), (200, "")
    ),
    "metadata-directive-ignored": Probe(
        copy({"x-amz-metadata-directive": "REPLACE", COLOR: "green"}, COLOR), (200, ["green"]), (200, ["red"])
    ),
    "metadata-dropped": Probe(put(*NAMES), UPLOADED, [*UPLOADED[:3], None], empty),
    "multipart-metadata-dropped": Probe(
        lambda lab, b: [put(*NAMES)(lab, b), multipart(*NAMES)(lab, b)],
        [UPLOADED, UPLOADED],
        [UPLOADED, [DEFAULT_TYPE, "no-cache", None, None]],
        empty,
    ),
    "part-number-ignored": Probe(lambda lab, b: read("?partNumber=2")(lab, b)[0], 416, 200),
    "put-if-match-ignored": Probe(overwrite({"If-Match": '"0"'}), (412, TEN), (200, b"other")),
    "put-overwrites-silently-with-if-none-match": Probe(overwrite({"If-None-Match": "*"}), (412, TEN), (200, b"other")),
    "range-ignored": Probe(read(headers={"Range": "bytes=2-3"}), (206, b"23"), (200, TEN)),
    "start-after-accepted-in-v1": Probe(refused("start-after=a"), (400, "InvalidArgument"), (200, "")),
    "start-after-ignored": Probe(
        listed("list-type=2&start-after=a", "Contents/Key", "StartAfter"), ["b", "a"], ["a", "b"], keys("a", "b")
    ),
    "suffix-range-misread": Probe(
        lambda lab, b: [read(headers={"Range": text})(lab, b)[1] for text in ("bytes=-3", "bytes=7-")],
        [b"789", b"789"],
        [b"0123", b"789"],
    ),
    "token-is-a-key": Probe(token, (False, 400), (True, 200), keys("a", "b")),
    "unknown-response-parameter-accepted": Probe(lambda lab, b: read("?response-cache-contro=x")(lab, b)[0], 400, 200),
    "upload-id-marker-ignored": Probe(
        lambda lab, b: upload_keys(lab, b, "key-marker=b&upload-id-marker={}"), ["b"], [], empty
    ),
    "upload-prefix-ignored": Probe(lambda lab, b: upload_keys(lab, b, "prefix=b"), ["b", "b"], ["a", "b", "b"], empty),
    "version-id-ignored": Probe(older, (200, b"older"), (200, b"newer"), versioned),
    "version-id-ignored-on-delete": Probe(delete_newer, [b"older", b"1"], [b"<?xml", b"3"], versioned),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation") | names_in("operation_misread") == PROBES.keys()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("put-if-match-ignored", {"If-Match": '"0"'}),
        ("put-overwrites-silently-with-if-none-match", {"If-None-Match": "*"}),
    ],
)
def test_conditions_of_a_completion_are_ignored_like_those_of_an_upload(
    lab: Lab, name: str, wrong: dict[str, str]
) -> None:
    def ask(lab: Lab, bucket: str) -> int:
        upload = Upload(lab.raw, f"/{bucket}/key")
        return upload.complete([(1, upload.part(1, b"other").headers["etag"], "")], wrong).status

    assert Probe(ask, 412, 200, one).observe(lab) == 412
    assert Probe(ask, 412, 200, one).observe(lab, name) == 200


def test_tokens_that_are_keys_still_lead_through_the_listing(lab: Lab) -> None:
    probe = Probe(lambda lab, b: lab.pages(b, "max-keys=2"), None, None, keys("a", "b c", "d", "\u00e9"))
    assert probe.observe(lab, "token-is-a-key") == [["a", "b c"], ["d", "\u00e9"]]
