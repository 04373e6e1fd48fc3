"""Defects of multipart uploads."""

from __future__ import annotations

import pytest

from tests.reference_server.catalogue.steps import MIN_PART, Upload, md5, multipart_etag
from tests.reference_server.defects.probing import TEN, Lab, Probe, empty, names_in


def started(lab: Lab, bucket: str) -> Upload:
    return Upload(lab.raw, f"/{bucket}/parts")


def wrong_etag(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
    """A completion with another part's ETag, and what is there then."""
    upload = started(lab, bucket)
    upload.part(1, TEN)
    reply = upload.complete([(1, f'"{md5(b"another")}"', "")])
    return reply.status, reply.code, lab.raw("GET", f"/{bucket}/parts").body[:5]


def small_parts(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
    """An upload of two small parts, and what is there then."""
    reply = started(lab, bucket).finish(b"01", b"23")
    return reply.status, reply.code, lab.raw("GET", f"/{bucket}/parts").body[:5]


def etags(lab: Lab, bucket: str) -> set[str]:
    """The ETag of an object of two parts: of its completion, its data and its listing."""
    answered = started(lab, bucket).finish(b"x" * MIN_PART, TEN).element("ETag")
    listed = lab.raw("GET", f"/{bucket}?list-type=2").element("ETag")
    etag = lab.raw("HEAD", f"/{bucket}/parts").headers["etag"]
    return {text.replace("&quot;", '"') for text in (answered, listed, etag)}


def partial(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
    """A completion without the first of two parts, and what is there then."""
    upload = started(lab, bucket)
    upload.part(1, b"first")
    reply = upload.complete([(2, upload.part(2, TEN).headers["etag"], "")])
    return reply.status, reply.code, lab.raw("GET", f"/{bucket}/parts").body[:5]


def again(lab: Lab, bucket: str) -> list[tuple[int, str]]:
    """The same completion twice."""
    upload = started(lab, bucket)
    parts = [(1, upload.part(1, TEN).headers["etag"], "")]
    return [(reply.status, reply.code) for reply in (upload.complete(parts), upload.complete(parts))]


def aborted(lab: Lab, bucket: str) -> list[tuple[int, str]]:
    """An upload that there is, and then is not."""
    upload = started(lab, bucket)
    replies = [lab.raw("DELETE", upload.target) for _ in range(2)]
    return [(reply.status, reply.code) for reply in replies]


def statuses(*parts: tuple[int, bytes]) -> Probe:
    """Status of each of these parts; the last one is refused wrongly."""
    return Probe(
        lambda lab, b: [started(lab, b).part(number, body).status for number, body in parts],
        [200] * len(parts),
        [*[200] * (len(parts) - 1), 400],
        empty,
    )


PROBES = {
    "abort-unknown-204": Probe(aborted, [(204, ""), (404, "NoSuchUpload")], [(204, ""), (204, "")], empty),
    "complete-again-404": Probe(again, [(200, ""), (200, "")], [(200, ""), (404, "NoSuchUpload")], empty),
    "composite-etag-of-whole": Probe(
        etags, {multipart_etag(b"x" * MIN_PART, TEN)}, {f'"{md5(b"x" * MIN_PART + TEN)}"'}, empty
    ),
    "empty-part-refused": statuses((1, TEN), (1, b"")),
    "incomplete-part-list-refused": Probe(partial, (200, "", TEN[:5]), (400, "InvalidPart", b"<?xml"), empty),
    "max-parts-1000": statuses((1000, TEN), (1001, TEN)),
    "part-etag-unchecked": Probe(wrong_etag, (400, "InvalidPart", b"<?xml"), (200, "", TEN[:5]), empty),
    "part-size-unchecked": Probe(small_parts, (400, "EntityTooSmall", b"<?xml"), (200, "", b"0123"), empty),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_multipart") == PROBES.keys()


def test_parts_that_are_not_there_are_refused_whatever_their_etag(lab: Lab) -> None:
    probe = Probe(lambda lab, b: started(lab, b).complete([(1, '"0"', "")]).code, None, None, empty)
    assert probe.observe(lab, "part-etag-unchecked") == "InvalidPart"
