"""Static websites: which documents are valid, and what the endpoint answers."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.codec import Codec
from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.rules import website
from reference_server.rules.website import Redirect, Visit

INDEX = {"IndexDocument": {"Suffix": "index.html"}}


def site(*rules: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**INDEX, **({"RoutingRules": list(rules)} if rules else {}), **members}


def rule(condition: dict[str, str] | None = None, **redirect: str) -> dict[str, Any]:
    return {"Redirect": redirect, **({} if condition is None else {"Condition": condition})}


def on_prefix(prefix: str, **redirect: str) -> dict[str, Any]:
    return rule({"KeyPrefixEquals": prefix}, **redirect)


def on_error(code: str, **redirect: str) -> dict[str, Any]:
    return rule({"HttpErrorCodeReturnedEquals": code}, **redirect)


def visit(key: str, query: str = "") -> Visit:
    return Visit("http", "site.test", key, query)


@pytest.mark.parametrize(
    "document",
    [
        site(),
        site(ErrorDocument={"Key": "errors/404.html"}),
        site(rule(HostName="other")),
        site(on_prefix("docs/", ReplaceKeyPrefixWith="")),
        site(on_error("404", HttpRedirectCode="302", Protocol="https")),
        site(*[rule(HostName="other")] * 50),
        {"RedirectAllRequestsTo": {"HostName": "other", "Protocol": "https"}},
    ],
)
def test_a_valid_document_passes(document: dict[str, Any]) -> None:
    website.check(document)


@pytest.mark.parametrize(
    ("document", "elements"),
    [
        ({}, {"ArgumentName": "IndexDocument", "ArgumentValue": "null"}),
        ({"ErrorDocument": {"Key": "e"}}, {"ArgumentName": "IndexDocument", "ArgumentValue": "null"}),
        (
            {"IndexDocument": {"Suffix": "/index.html"}},
            {"ArgumentName": "IndexDocument", "ArgumentValue": "/index.html"},
        ),
        ({"IndexDocument": {"Suffix": ""}}, {"ArgumentName": "IndexDocument", "ArgumentValue": ""}),
        (site(ErrorDocument={"Key": ""}), {"ArgumentName": "ErrorDocument", "ArgumentValue": ""}),
        (
            {"RedirectAllRequestsTo": {"HostName": "h"}, **INDEX},
            {"ArgumentName": "RedirectAllRequestsTo", "ArgumentValue": "not null"},
        ),
    ],
)
def test_a_faulty_document_names_its_argument(document: dict[str, Any], elements: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        website.check(document)
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert caught.value.elements == elements


@pytest.mark.parametrize(
    ("document", "code", "part"),
    [
        ({"RedirectAllRequestsTo": {"HostName": ""}}, "MalformedXML", ""),
        ({"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "ftp"}}, "InvalidRequest", "Invalid protocol"),
        (site(RoutingRules=[]), "MalformedXML", ""),
        (site(*[rule(HostName="h")] * 51), "InvalidRequest", "51 routing rules provided"),
        (site(rule()), "MalformedXML", ""),
        (site(rule(Protocol="protocol")), "InvalidRequest", "Invalid protocol"),
        (site(rule(ReplaceKeyWith="a", ReplaceKeyPrefixWith="b")), "InvalidRequest", "but not both"),
        (site(rule({}, HostName="h")), "InvalidRequest", "Condition cannot be empty"),
        (site(rule(HttpRedirectCode="300")), "InvalidRequest", "redirect code (300)"),
        (site(rule(HttpRedirectCode="200")), "InvalidRequest", "redirect code (200)"),
        (site(rule(HttpRedirectCode="3xx")), "MalformedXML", ""),
        (site(rule(HttpRedirectCode="٣٠١")), "MalformedXML", ""),
        (site(on_error("399", HostName="h")), "InvalidRequest", "error code (399)"),
        (site(on_error("4xx", HostName="h")), "MalformedXML", ""),
        (site(on_error("", HostName="h")), "MalformedXML", ""),
        (site(on_error("9999", HostName="h")), "InvalidRequest", "error code (9999)"),
        (site(on_error("9" * 5, HostName="h")), "MalformedXML", ""),
        (site(on_error("9" * 5000, HostName="h")), "MalformedXML", ""),
    ],
)
def test_an_invalid_document_is_refused(document: dict[str, Any], code: str, part: str) -> None:
    with pytest.raises(S3Error) as caught:
        website.check(document)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert part in caught.value.message


def _accepted(document: dict[str, Any]) -> bool:
    try:
        website.check(document)
    except S3Error:
        return False
    return True


def test_which_codes_a_rule_may_name() -> None:
    codes = range(200, 600)
    redirects = [code for code in codes if _accepted(site(rule(HttpRedirectCode=str(code))))]
    errors = [code for code in codes if _accepted(site(on_error(str(code), HostName="h")))]
    assert redirects == [301, 302, 303, 304, 305, 307, 308]
    assert errors == [*range(400, 418), *range(500, 506)]


def test_a_document_is_checked_as_the_codec_reads_it() -> None:
    body = (
        b"<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix></IndexDocument><RoutingRules><RoutingRule>"
        b"<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect>"
        b"<HttpRedirectCode>302</HttpRedirectCode><ReplaceKeyWith>gone</ReplaceKeyWith></Redirect></RoutingRule>"
        b"</RoutingRules></WebsiteConfiguration>"
    )
    parsed = Codec(service_model().service).parse_document("PutBucketWebsite", body)
    website.check(parsed)
    assert website.redirect_after(parsed, visit("x"), 404) == Redirect(302, "http://site.test/gone")


@pytest.mark.parametrize("location", ["/another/page", "http://other/", "https://other/", "/" + "a" * 2047])
def test_an_object_may_redirect_within_the_site_or_to_a_url(location: str) -> None:
    website.check_location(location)


@pytest.mark.parametrize("location", ["", "page", "ftp://other/", "/" + "a" * 2048])
def test_another_redirect_location_is_refused(location: str) -> None:
    with pytest.raises(S3Error) as caught:
        website.check_location(location)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRedirectLocation")


@pytest.mark.parametrize(
    ("configuration", "asked", "expected"),
    [
        (site(), visit("any"), None),
        (site(on_error("404", HostName="h")), visit("any"), None),
        (site(on_prefix("docs/", HostName="h")), visit("doc"), None),
        (site(on_prefix("docs/", HostName="h")), visit(""), None),
        (site(on_prefix("host/", HostName="other")), visit("host/key"), Redirect(301, "http://other/host/key")),
        (
            site(on_prefix("old/", ReplaceKeyPrefixWith="new/")),
            visit("old/old/k"),
            Redirect(301, "http://site.test/new/old/k"),
        ),
        (site(on_prefix("old/", ReplaceKeyPrefixWith="")), visit("old/k"), Redirect(301, "http://site.test/k")),
        (site(on_prefix("old/", ReplaceKeyWith="k?a=1")), visit("old/x"), Redirect(301, "http://site.test/k?a=1")),
        (site(on_prefix("p/", Protocol="https")), visit("p/k"), Redirect(301, "https://site.test/p/k")),
        (site(on_prefix("c/", HttpRedirectCode="307")), visit("c/k"), Redirect(307, "http://site.test/c/k")),
        (site(rule(ReplaceKeyPrefixWith="#!/")), visit("a"), Redirect(301, "http://site.test/#!/a")),
        (
            site(on_prefix("b", ReplaceKeyWith="2"), on_prefix("a", ReplaceKeyWith="1"), rule(HostName="h")),
            visit("ab"),
            Redirect(301, "http://site.test/1"),
        ),
        ({"RedirectAllRequestsTo": {"HostName": "h"}}, visit("a/b", "c=d"), Redirect(301, "http://h/a/b?c=d")),
        ({"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "https"}}, visit(""), Redirect(301, "https://h/")),
    ],
)
def test_where_a_visit_is_sent_before_the_object_is_read(
    configuration: dict[str, Any], asked: Visit, expected: Redirect | None
) -> None:
    assert website.redirect_before(configuration, asked) == expected


BOTH = rule({"KeyPrefixEquals": "both/", "HttpErrorCodeReturnedEquals": "404"}, ReplaceKeyWith="both.html")
MISSING = on_error("404", ReplaceKeyWith="missing.html")


@pytest.mark.parametrize(
    ("key", "status", "expected"),
    [
        ("both/", 404, "http://site.test/both.html"),
        ("other", 404, "http://site.test/missing.html"),
        ("both/", 403, None),
        ("prefixed", 403, None),
    ],
)
def test_where_a_visit_is_sent_after_an_error(key: str, status: int, expected: str | None) -> None:
    configuration = site(BOTH, on_prefix("prefixed", HostName="h"), MISSING)
    found = website.redirect_after(configuration, visit(key), status)
    assert found == (None if expected is None else Redirect(301, expected))


@pytest.mark.parametrize(
    ("key", "read", "directory"),
    [
        ("", "index.html", None),
        ("a/", "a/index.html", None),
        ("a", "a", "a/index.html"),
        ("a/b.html", "a/b.html", "a/b.html/index.html"),
    ],
)
def test_directories_have_an_index(key: str, read: str, directory: str | None) -> None:
    assert website.index_key(INDEX, key) == read
    assert website.directory_index(INDEX, key) == directory


@pytest.mark.parametrize(
    ("key", "location"), [("a", "/a/"), ("a b/é", "/a%20b/%C3%A9/"), ("/other.test", "/%2Fother.test/"), ("/", "/%2F/")]
)
def test_a_directory_without_its_slash_is_sent_to_it(key: str, location: str) -> None:
    assert website.to_directory(key) == Redirect(302, location)


def test_an_object_redirects_permanently() -> None:
    assert website.to_location("/actual/key.html?a=%20") == Redirect(301, "/actual/key.html?a=%20")


@pytest.mark.parametrize(
    ("configuration", "status", "expected"),
    [(site(), 404, None)]
    + [
        (site(ErrorDocument={"Key": "e.html"}), status, expected)
        for status, expected in ((400, "e.html"), (404, "e.html"), (499, "e.html"), (405, None), (500, None))
    ],
)
def test_client_errors_have_the_error_document(
    configuration: dict[str, Any], status: int, expected: str | None
) -> None:
    assert website.error_key(configuration, status) == expected


@given(st.text())
def test_no_key_breaks_a_location(key: str) -> None:
    locations = [
        found.location
        for found in (
            website.to_directory(key),
            website.to_location(f"/{key}"),
            website.redirect_before({"RedirectAllRequestsTo": {"HostName": "h"}}, visit(key, key)),
            website.redirect_before(site(rule(ReplaceKeyWith=key)), visit("a")),
        )
        if found is not None
    ]
    assert len(locations) == 4
    for location in locations:
        assert location.isascii()
        assert location.isprintable()
        assert " " not in location
    assert urlsplit(locations[0]).netloc == ""
    assert unquote(locations[0]) == f"/{key.encode(errors='replace').decode()}/"


class Reader(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_an_error_page_tells_what_happened() -> None:
    error = S3Error("NoSuchKey", None, {"Key": "missing"})
    page = website.error_page(error, "REQUEST", "HOST").decode()
    assert page.startswith("<html>\n<head><title>404 Not Found</title></head>")
    for line in ("Code: NoSuchKey", "Key: missing", "RequestId: REQUEST", "HostId: HOST"):
        assert f"<li>{line}</li>" in page
    assert "Custom Error Document" not in page


def test_an_error_page_tells_why_there_is_no_error_document() -> None:
    error = S3Error("MethodNotAllowed", None, {"Method": "POST"})
    page = website.error_page(error, "R", "H", S3Error("NoSuchKey", None, {"Key": "e.html"})).decode()
    assert "<h1>405 Method Not Allowed</h1>" in page
    assert page.index("<li>HostId: H</li>") < page.index("Custom Error Document</h3>") < page.index("Key: e.html")


@given(st.text() | st.sampled_from(["</li><script>alert(1)</script>", '"><img src=x>', "&lt;", "\ud800"]))
def test_no_key_changes_the_structure_of_a_page(key: str) -> None:
    def tags(name: str) -> list[str]:
        reader = Reader()
        reader.feed(website.error_page(S3Error("NoSuchKey", None, {"Key": name}), "R", "H").decode())
        reader.close()
        return reader.tags

    assert tags(key) == tags("plain")
