"""Methods, paths, parameters and headers of the service model, thrown together: never an internal error."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.app import App
from reference_server.model import service_model
from tests.reference_server.fuzz.support import application, ask, bounded, check


@functools.cache
def _names(location: str) -> list[str]:
    shapes = service_model().document["shapes"].values()
    members = [member for shape in shapes for member in shape.get("members", {}).values()]
    return sorted({m["locationName"] for m in members if m.get("location") == location})


def _uris() -> list[str]:
    operations = service_model().document["operations"].values()
    return sorted({operation["http"]["requestUri"].partition("?")[2] for operation in operations})


_VALUES = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "0",
                "1",
                "-1",
                "--1",
                "2",
                "10001",
                "99999999999999999999",
                "x",
                "null",
                "true",
                "url",
                "*",
                '"',
                "bytes=0-",
                "/",
            ),
            *(
                "CRC32",
                "COMPOSITE",
                "REPLACE",
                "aws:kms",
                "ENABLED",
                "=?utf-8?B?AAAA?=",
                "bkt/key",
                "%",
                "%FF",
                "+",
                "a,b",
            ),
            *("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Xyz 99999 99:99:99", "AAAAAA==", "\u00e9", "\x7f"),
        ]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=12),
)
_PATHS = st.one_of(
    st.sampled_from(
        ["/", "/bkt", "/bkt/", "/bkt/key", "/none", "/none/k", "/bkt/up", "//", "/%", "/bkt/%ff", "/bkt/%00"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10).map(lambda text: "/" + text),
)
_BODIES = st.sampled_from(
    [
        *(
            b"",
            b"x",
            b"<",
            b"<Delete><Object><Key>a</Key></Object></Delete>",
            b"<Delete><Object/></Delete>",
            b"0\r\n\r\n",
        ),
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
        *(b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>", b"<a>" * 100, b"\xff\xfe", b"<x/>" * 9),
        b"<CreateBucketConfiguration><LocationConstraint>x<b/></LocationConstraint></CreateBucketConfiguration>",
    ]
)


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    one = application(signatures=False)
    yield one
    one.store.close()


@bounded(450)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
    path=_PATHS,
    subresource=st.one_of(st.just(""), st.sampled_from(_uris())),
    query=st.dictionaries(st.sampled_from(_names("querystring")), _VALUES, max_size=3),
    headers=st.dictionaries(st.sampled_from(_names("header")), _VALUES, max_size=4),
    mode=st.sampled_from(["", "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0" * 64]),
    body=_BODIES,
)
def test_no_request_is_an_internal_error(
    app: App,
    method: str,
    path: str,
    subresource: str,
    query: dict[str, str],
    headers: dict[str, str],
    mode: str,
    body: bytes,
) -> None:
    pieces = [subresource, *(f"{name}={value}" for name, value in query.items())]
    target = path + "?" + "&".join(piece for piece in pieces if piece)
    target = re.sub("[^!-~]", lambda match: f"%{ord(match[0]):02X}", target)
    sent = {name.lower(): value for name, value in headers.items()}
    check(ask(app, method, target, {**sent, "x-amz-content-sha256": mode} if mode else sent, body))
    if ask(app, "HEAD", "/bkt/key", {}).status == 404:
        ask(app, "PUT", "/bkt", {})
        ask(app, "PUT", "/bkt/key", {}, b"content")
