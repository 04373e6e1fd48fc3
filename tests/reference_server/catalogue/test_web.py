"""Static websites: catalogue family WEB."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import urllib3

from reference_server.wire import Head
from tests.reference_server.catalogue.permissions import set_policy, statement
from tests.reference_server.catalogue.steps import put_document, refusal, texts, tree
from tests.reference_server.fuzz.support import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from conftest import Raw, Reply, Running

INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
ERROR = "<ErrorDocument><Key>errors/page.html</Key></ErrorDocument>"
HTML = {"Content-Type": "text/html"}


def configure(raw: Raw, bucket: str, *elements: str) -> Reply:
    """PutBucketWebsite."""
    return put_document(raw, f"/{bucket}?website", f"<WebsiteConfiguration>{''.join(elements)}</WebsiteConfiguration>")


def rules(*inside: str) -> str:
    """Routing rules."""
    listed = "".join(f"<RoutingRule>{one}</RoutingRule>" for one in inside)
    return f"<RoutingRules>{listed}</RoutingRules>"


def rule(redirect: Mapping[str, str], condition: Mapping[str, str] | None = None) -> str:
    """The inside of one routing rule, from names and texts of elements."""

    def elements(values: Mapping[str, str]) -> str:
        return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())

    before = "" if condition is None else f"<Condition>{elements(condition)}</Condition>"
    return f"{before}<Redirect>{elements(redirect)}</Redirect>"


class Visitor:
    """Asks the website endpoint of a bucket, without any signature."""

    def __init__(self, raw: Raw, bucket: str) -> None:
        self.raw, self.bucket = raw, bucket
        self.host = raw.host.replace("127.0.0.1", f"{bucket}.s3-website.localhost")

    def __call__(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """One request."""
        return self.raw(method, path, headers=headers, host=self.host, sign=False)

    def put(self, key: str, content: bytes, headers: Mapping[str, str] = HTML) -> None:
        """Put an object as the owner."""
        assert self.raw("PUT", f"/{self.bucket}/{quote(key)}", content, headers).status == 200

    def redirected(self, path: str) -> tuple[int, str]:
        """Status and Location of an answer that has no body."""
        reply = self(path)
        assert reply.body == b""
        return reply.status, reply.headers.get("location", "")


@pytest.fixture
def site(raw: Raw, bucket: str) -> Visitor:
    """A website with two pages, an index in a directory, and everything open to everybody."""
    set_policy(raw, bucket, statement(bucket, "s3:GetObject", "s3:ListBucket"))
    assert configure(raw, bucket, INDEX).status == 200
    visitor = Visitor(raw, bucket)
    for key in ("index.html", "page.html", "docs/index.html"):
        visitor.put(key, f"<p>{key}</p>".encode())
    return visitor


# The configuration


@pytest.mark.catalogue("WEB-001")
def test_a_new_bucket_has_no_website(raw: Raw, bucket: str) -> None:
    """Neither as a configuration nor as an endpoint; once there is one, it comes back as it was put."""
    path = f"/{bucket}?website"
    assert refusal(raw("GET", path), "BucketName") == (404, "NoSuchWebsiteConfiguration", bucket)
    page = Visitor(raw, bucket)("/")
    assert (page.status, page.headers["x-amz-error-code"]) == (404, "NoSuchWebsiteConfiguration")
    assert f"BucketName: {bucket}" in Text(page.body).found
    page = Visitor(raw, "no-such-bucket-here")("/")
    assert (page.status, page.headers["x-amz-error-code"]) == (404, "NoSuchBucket")
    assert "BucketName: no-such-bucket-here" in Text(page.body).found
    routing = rules(rule({"ReplaceKeyPrefixWith": "new/"}, {"KeyPrefixEquals": "old/"}))
    assert configure(raw, bucket, INDEX, ERROR, routing).status == 200
    root = tree(raw("GET", path))
    assert root.tag == "WebsiteConfiguration"
    assert (root.findtext("IndexDocument/Suffix"), root.findtext("ErrorDocument/Key")) == (
        "index.html",
        "errors/page.html",
    )
    assert texts(root, "RoutingRules/RoutingRule/Condition/KeyPrefixEquals") == ["old/"]
    for _ in range(2):
        assert raw("DELETE", path).status == 204
    assert refusal(raw("GET", path)) == (404, "NoSuchWebsiteConfiguration")


@pytest.mark.catalogue("WEB-002")
@pytest.mark.parametrize(
    "elements",
    [
        [],
        [ERROR],
        ["<IndexDocument><Suffix>/index.html</Suffix></IndexDocument>"],
        ["<IndexDocument><Suffix>a/index.html</Suffix></IndexDocument>"],
        ["<IndexDocument><Suffix></Suffix></IndexDocument>"],
        [INDEX, "<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>"],
    ],
)
def test_a_website_has_an_index_or_is_elsewhere(raw: Raw, bucket: str, elements: list[str]) -> None:
    """The name of its index is no path; nothing is stored of what is refused."""
    assert refusal(configure(raw, bucket, *elements)) == (400, "InvalidArgument")
    assert raw("GET", f"/{bucket}?website").status == 404


# Pages


def test_visitors_see_pages(site: Visitor) -> None:
    """Of the root and of a directory the index, with the type that it was stored with."""
    for path, key in (("/", "index.html"), ("/page.html", "page.html"), ("/docs/", "docs/index.html")):
        page = site(path)
        assert (page.status, page.body, page.headers["content-type"]) == (200, f"<p>{key}</p>".encode(), "text/html")
    assert site("/page.html?acl&versionId=1&prefix=x").body == b"<p>page.html</p>"
    head = site("/page.html", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "16")


def test_visitors_may_ask_for_a_part_or_only_for_news(site: Visitor) -> None:
    """Ranges and conditions work as they do for objects."""
    part = site("/page.html", headers={"Range": "bytes=3-6"})
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"page", "bytes 3-6/16")
    etag = part.headers["etag"]
    assert site("/page.html", headers={"If-None-Match": etag}).status == 304
    assert site("/page.html", headers={"If-Match": etag}).status == 200
    assert site("/page.html", headers={"If-Match": '"other"'}).status == 412
    assert site("/page.html", headers={"Range": "bytes=100-"}).status == 416
    assert configure(site.raw, site.bucket, INDEX, ERROR).status == 200
    site.put("errors/page.html", b"sorry")
    missing = site("/missing", headers={"Range": "bytes=1-2", "If-None-Match": "*"})
    assert (missing.status, missing.body) == (404, b"sorry")


@pytest.mark.catalogue("WEB-003")
def test_a_directory_gets_its_slash(site: Visitor) -> None:
    """Only if its index exists and nothing has the name of the directory; also for those who cannot list."""
    assert site.redirected("/docs") == (302, "/docs/")
    site.put("//host/index.html", b"x")
    assert site.redirected("///host") == (302, "/%2F/host/")  # and not to another host
    site.put("a b&c/index.html", b"x")
    assert site.redirected("/a%20b%26c") == (302, "/a%20b&c/")
    assert site("/none").status == 404
    set_policy(site.raw, site.bucket, statement(site.bucket, "s3:GetObject"))
    assert site.redirected("/docs") == (302, "/docs/")
    site.put("docs", b"an object")
    assert site("/docs").body == b"an object"
    assert site("/docs", headers={"If-Match": '"other"'}).status == 412


class Text(HTMLParser):
    """All text of a page, and the names of its elements."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found, self.tags = "", set[str]()
        self.feed(page.decode())

    def handle_data(self, data: str) -> None:
        self.found += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - of the base class
        self.tags.add(tag)


@pytest.mark.catalogue("WEB-004")
def test_a_missing_page_is_told_in_html(site: Visitor) -> None:
    """By a page of the server, or by the error document; without leave to list it is forbidden and not missing."""
    for status, code in ((404, "NoSuchKey"), (403, "AccessDenied")):
        page = site("/missing")
        assert (page.status, page.headers["content-type"].partition(";")[0]) == (status, "text/html")
        assert page.headers["x-amz-error-code"] == code
        assert page.headers["x-amz-error-message"] in Text(page.body).found
        assert f"Code: {code}" in Text(page.body).found
        assert (site("/missing", "HEAD").status, site("/missing", "HEAD").body) == (status, b"")
        set_policy(site.raw, site.bucket, statement(site.bucket, "s3:GetObject"))
    assert configure(site.raw, site.bucket, INDEX, ERROR).status == 200
    page = site("/missing")
    assert page.status == 403
    assert "An Error Occurred While Attempting to Retrieve a Custom Error Document" in Text(page.body).found
    site.put("errors/page.html", b"<p>sorry</p>")
    page = site("/missing")
    assert (page.status, page.body, page.headers["content-type"]) == (403, b"<p>sorry</p>", "text/html")
    set_policy(site.raw, site.bucket, statement(site.bucket, "s3:GetObject", "s3:ListBucket"))
    assert (site("/missing").status, site("/missing").body) == (404, b"<p>sorry</p>")
    site.put("errors/page.html", b"", {"x-amz-website-redirect-location": "/page.html"})
    assert site.redirected("/missing") == (301, "/page.html")


def test_a_private_website_shows_nothing(raw: Raw, bucket: str) -> None:
    """A website is what the policy of its bucket makes of it, also for its owner."""
    assert configure(raw, bucket, INDEX, ERROR).status == 200
    visitor = Visitor(raw, bucket)
    for key in ("index.html", "errors/page.html"):
        visitor.put(key, b"secret")
    for path in ("/", "/index.html", "/missing"):
        page = visitor(path)
        assert (page.status, b"secret" in page.body) == (403, False)
        assert raw("GET", path, host=visitor.host).status == 403
    assert raw("GET", f"/{bucket}/index.html").body == b"secret"


@pytest.mark.catalogue("WEB-005")
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS", "PATCH"])
def test_visitors_only_read(site: Visitor, method: str) -> None:
    """Also with a signature that would be good enough elsewhere."""
    for sign in (False, True):
        page = site.raw(method, "/page.html", b"", host=site.host, sign=sign)
        assert (page.status, page.headers["content-type"].partition(";")[0]) == (405, "text/html")
        assert "405 Method Not Allowed" in Text(page.body).found
        assert {f"Method: {method}", "ResourceType: OBJECT"} <= set(Text(page.body).found.splitlines())
    assert site("/page.html").body == b"<p>page.html</p>"


@pytest.mark.catalogue("WEB-006")
@pytest.mark.parametrize("location", ["/page.html", "http://host.test/a?b=c#d", "https://host.test/"])
def test_an_object_may_be_elsewhere(site: Visitor, location: str) -> None:
    """Its visitors are sent there; who reads the object itself gets its body and the header."""
    header = {"x-amz-website-redirect-location": location}
    site.put("moved", b"body", header)
    assert site.redirected("/moved") == (301, location)
    site.put("moved/index.html", b"body", header)
    assert site.redirected("/moved/") == (301, location)
    found = site.raw("GET", f"/{site.bucket}/moved")
    assert (found.status, found.body, found.headers["x-amz-website-redirect-location"]) == (200, b"body", location)


@pytest.mark.parametrize("location", ["", "page.html", "ftp://host/", "javascript:alert(1)", "/" + "a" * 2048])
def test_an_object_is_not_just_anywhere(raw: Raw, bucket: str, location: str) -> None:
    """For objects, uploads and copies alike."""
    raw("PUT", f"/{bucket}/k", b"x")
    header = {"x-amz-website-redirect-location": location}
    for reply in (
        raw("PUT", f"/{bucket}/new", b"x", header),
        raw("POST", f"/{bucket}/new?uploads", headers=header),
        raw("PUT", f"/{bucket}/new", headers={**header, "x-amz-copy-source": f"/{bucket}/k"}),
    ):
        assert refusal(reply) == (400, "InvalidRedirectLocation")


# Redirects


@pytest.mark.catalogue("WEB-007")
def test_everything_may_be_elsewhere(site: Visitor) -> None:
    """Path and query go along; the protocol is that of the visit unless another is named."""
    redirect = "<RedirectAllRequestsTo><HostName>host.test</HostName>{}</RedirectAllRequestsTo>"
    assert configure(site.raw, site.bucket, redirect.format("")).status == 200
    assert site.redirected("/page.html") == (301, "http://host.test/page.html")
    assert site.redirected("/a%20b/?c=%26&d") == (301, "http://host.test/a%20b/?c=%26&d")
    assert configure(site.raw, site.bucket, redirect.format("<Protocol>https</Protocol>")).status == 200
    assert site.redirected("/") == (301, "https://host.test/")


def test_visitors_over_tls_stay_there(running: Running, site: Visitor) -> None:
    """A redirect keeps the protocol."""
    routing = rules(rule({"ReplaceKeyPrefixWith": "new/"}, {"KeyPrefixEquals": "old/"}))
    assert configure(site.raw, site.bucket, INDEX, routing).status == 200
    head = Head("GET", b"/old/x", True, {"host": site.host}, secure=True)
    answer = running.app(head, Body())  # type: ignore[arg-type]
    assert (answer.status, dict(answer.headers)["Location"]) == (301, f"https://{site.host}/new/x")


def test_a_long_object_that_is_elsewhere_leaves_nothing_behind(
    serve: Callable[..., Iterator[Running]], tmp_path: Path
) -> None:
    """Its body is neither sent nor kept open for the visitor: when the object goes, the file does."""
    for running in serve(data=tmp_path):
        raw, files = running.raw(), tmp_path / "blobs"
        assert raw("PUT", "/bucket").status == 200
        set_policy(raw, "bucket", statement("bucket", "s3:GetObject"))
        assert configure(raw, "bucket", INDEX).status == 200
        visitor, before = Visitor(raw, "bucket"), set(files.iterdir())
        visitor.put("moved", b"b" * 300_000, {"x-amz-website-redirect-location": "/page.html"})
        assert len(set(files.iterdir()) - before) == 1
        assert visitor.redirected("/moved") == (301, "/page.html")
        assert raw("DELETE", "/bucket/moved").status == 204
        assert set(files.iterdir()) == before


@pytest.mark.catalogue("WEB-007")
def test_rules_route_visitors(site: Visitor) -> None:
    """The first that fits: by prefix before anything is read, by error after."""
    routing = rules(
        rule({"ReplaceKeyPrefixWith": "docs/"}, {"KeyPrefixEquals": "old/"}),
        rule({"ReplaceKeyWith": "page.html", "HttpRedirectCode": "307"}, {"KeyPrefixEquals": "one/"}),
        rule({"HostName": "host.test", "Protocol": "https"}, {"KeyPrefixEquals": "away/"}),
        rule({"ReplaceKeyWith": "never"}, {"KeyPrefixEquals": "old/sub/"}),
        rule({"ReplaceKeyPrefixWith": "gone/"}, {"KeyPrefixEquals": "was/", "HttpErrorCodeReturnedEquals": "404"}),
        rule({"ReplaceKeyWith": "sorry", "HttpRedirectCode": "302"}, {"HttpErrorCodeReturnedEquals": "404"}),
    )
    assert configure(site.raw, site.bucket, INDEX, ERROR, routing).status == 200
    site.put("was/there", b"still")
    here = f"http://{site.host}"
    for path, found in {
        "/old/a%20b": (301, f"{here}/docs/a%20b"),
        "/old/sub/x": (301, f"{here}/docs/sub/x"),
        "/one/x": (307, f"{here}/page.html"),
        "/away/x?y=z": (301, "https://host.test/away/x?y=z"),
        "/was/x": (301, f"{here}/gone/x"),
        "/missing": (302, f"{here}/sorry"),
    }.items():
        assert (path, *site.redirected(path)) == (path, *found)
    assert site("/was/there").body == b"still"
    assert site("/").body == b"<p>index.html</p>"


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</li></ul><h1>",
    "&lt;&#60;",
    "a\r\nSet-Cookie: b=c",
    "\x00\x7f\u202e",
    "//evil.test/%2e%2e",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_no_key_becomes_part_of_a_page_or_of_its_head(site: Visitor, key: str) -> None:
    """It is shown as text, and it leads nowhere else."""
    page = site(f"/{quote(key, safe='')}")
    assert page.status == 404
    assert Text(page.body).tags == {"html", "head", "title", "body", "h1", "ul", "li", "hr"}
    assert "set-cookie" not in page.headers
    if key.isprintable():
        assert f"Key: {key}" in Text(page.body).found
    site.put(f"{key}/index.html", b"x")
    status, location = site.redirected(f"/{quote(key, safe='')}")
    assert status == 302
    assert location.startswith("/")
    assert not location.startswith("//")
    assert site(location).body == b"x"
    routing = rules(rule({"HostName": "host.test"}, {"HttpErrorCodeReturnedEquals": "404"}))
    assert configure(site.raw, site.bucket, INDEX, routing).status == 200
    status, location = site.redirected(f"/{quote('x' + key, safe='')}")
    assert (status, location.startswith("http://host.test/x")) == (301, True)
    assert location.isascii()
    assert location.isprintable()


def test_pages_may_be_read_by_other_sites(site: Visitor) -> None:
    """The rules of the bucket count on its website as well, once, and on every kind of answer."""
    origin = {"Origin": "https://app.test"}
    assert "access-control-allow-origin" not in site("/page.html", headers=origin).headers
    rule_of_bucket = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
    put_document(site.raw, f"/{site.bucket}?cors", f"<CORSConfiguration>{rule_of_bucket}</CORSConfiguration>")
    etag = site("/page.html").headers["etag"]
    replies = [site(path, headers=origin) for path in ("/page.html", "/docs", "/missing")]
    replies.append(site("/page.html", headers={**origin, "If-None-Match": etag}))
    assert [reply.status for reply in replies] == [200, 302, 404, 304]
    for reply in replies:
        found = [value for name, value in reply.raw_headers if name.lower() == "access-control-allow-origin"]
        assert found == ["*"]


def test_a_browser_finds_its_way(site: Visitor, s3: Any) -> None:
    """A real client follows from a directory to its index, by the host of the website."""
    s3.put_bucket_website(Bucket=site.bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    with urllib3.HTTPConnectionPool(*site.raw.address, timeout=10, retries=3) as pool:
        answer = pool.request("GET", "/docs", headers={"Host": site.host}, redirect=False)
        assert (answer.status, answer.headers["Location"]) == (302, "/docs/")
        answer = pool.request("GET", answer.headers["Location"], headers={"Host": site.host})
        assert (answer.status, answer.data) == (200, b"<p>docs/index.html</p>")
        answer = pool.request("GET", "/no/such/page", headers={"Host": site.host})
        assert (answer.status, b"<h1>404 Not Found</h1>" in answer.data) == (404, True)
