"""WEB: static websites, their configuration and what visitors are given."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, header, header_where, ok, output, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._websites import HOME, INDEX, configure, site


def _redirects(status: int, path: str, host: str = "", scheme: str = "") -> Matcher:
    """A redirect to this path; host and scheme count where they are given."""
    wanted = f"{scheme}://{host}{path}" if host else path

    def test(seen: Observed) -> str:
        found = urlsplit((seen.headers or {}).get("location", ""))
        same = found.path == path and host in ("", found.netloc) and scheme in ("", found.scheme)
        return "" if seen.status == status and same else f"got {seen.summary()}, Location {found.geturl()!r}"

    return Matcher(f"status {status} with Location {wanted}", test)


def _page(status: int, content: bytes) -> Matcher:
    """A page with this status, which may be one of an error."""

    def test(seen: Observed) -> str:
        same = seen.status == status and seen.body == content
        return "" if same else f"got {seen.summary()}: {(seen.body or b'')[:60]!r}"

    return Matcher(f"status {status} with the page {content!r}", test)


@scenario(
    "WEB-001",
    EXTENDED,
    "GetBucketWebsite",
    "PutBucketWebsite",
    source="LocalStack test_crud_website_configuration (recorded on AWS)",
    clients=LIBRARIES,
)
def no_website(s3: Scene) -> None:
    """GetBucketWebsite of a bucket that is no website is 404 NoSuchWebsiteConfiguration.

    S3 promises: the error has a code of its own. A configuration that was put is given back.

    Breaks: Terraform and audit tools ask every bucket whether it is a website, and take this code alone for "no".

    Fix: answer from the stored document, and do not let ?website fall through to a listing.
    """
    bucket = s3.new_bucket()
    none = refused(404, "NoSuchWebsiteConfiguration")
    s3.expect(s3.call("GetBucketWebsite", Bucket=bucket), none)
    configure(s3, bucket, INDEX)
    s3.expect(s3.call("GetBucketWebsite", Bucket=bucket), ok(), output("IndexDocument", INDEX["IndexDocument"]))


@scenario(
    "WEB-002",
    EXTENDED,
    "PutBucketWebsite",
    source="LocalStack test_validate_website_configuration (recorded on AWS); versitygw PutBucketWebsite, "
    "IndexDocument suffix",
    clients=LIBRARIES,
)
def invalid_website(s3: Scene) -> None:
    """A website without index and without redirect-all, or an index suffix with a slash, is 400 InvalidArgument.

    S3 promises: either IndexDocument or RedirectAllRequestsTo must be there; the suffix is a file name, not empty and
    without "/". What was configured before stays.

    Breaks: only strict validation; with such a configuration every directory of the site is an error page.

    Fix: check the two members when the document is put.
    """
    bucket = s3.new_bucket()
    configure(s3, bucket, INDEX)
    wrong = (
        {"ErrorDocument": {"Key": "error.html"}},
        {"IndexDocument": {"Suffix": "pages/index.html"}},
        {"IndexDocument": {"Suffix": ""}},
    )
    for configuration in wrong:
        answer = s3.call("PutBucketWebsite", Bucket=bucket, WebsiteConfiguration=configuration)
        s3.expect(answer, refused(400, "InvalidArgument"))
    s3.expect(s3.look("GetBucketWebsite", Bucket=bucket), output("IndexDocument", INDEX["IndexDocument"]))


@scenario(
    "WEB-003",
    EXTENDED,
    "PutBucketWebsite",
    source="LocalStack test_website_hosting_index_lookup (recorded on AWS)",
    clients=("raw",),
)
def directory_without_slash(s3: Scene) -> None:
    """A directory named without its slash is redirected to the form with it (302), where its index is shown.

    S3 promises: at the website endpoint / and every path that ends in a slash show the index document below it. A
    path without the slash, where there is no such object but there is an index below, is 302 to the path with it.

    Breaks: static site generators link to directories either way. Without the redirect half of the links are 404;
    the index served in place breaks every relative link in it.

    Fix: after a miss, look for the index below the path, and redirect instead of serving it.
    """
    bucket = site(s3, INDEX, {"index.html": HOME, "docs/index.html": b"<html>docs</html>"})
    s3.expect(s3.visit(bucket, "/"), ok(), body(HOME))
    s3.expect(s3.visit(bucket, "/docs"), _redirects(302, "/docs/"))
    s3.expect(s3.visit(bucket, "/docs/"), ok(), body(b"<html>docs</html>"))


@scenario(
    "WEB-004",
    EXTENDED,
    "PutBucketWebsite",
    source="LocalStack test_website_hosting_404 (recorded on AWS)",
    clients=("raw",),
)
def missing_page(s3: Scene) -> None:
    """A missing page is 404 with an HTML body, or with the error document where one is configured.

    S3 promises: visitors never see XML. Without an error document the endpoint makes a page of HTML itself; with one
    they get that object, and the status stays 404.

    Breaks: single-page applications use the error document as their entrance, and search engines index error pages
    that come with status 200.

    Fix: keep the status of the error when serving the error document, and never the API's error document.
    """
    bucket, own = site(s3, INDEX, {"index.html": HOME, "oops.html": b"<html>oops</html>"}), b"<html>oops</html>"
    html = header_where("Content-Type", "text/html", lambda value: value.lower().startswith("text/html"))
    missing = s3.expect(s3.visit(bucket, "/missing.html"), refused(404), html)
    page = (missing.body or b"").lower()
    s3.check(b"<html" in page, "a page of HTML", f"the body was {page[:80]!r}", missing)
    configure(s3, bucket, INDEX | {"ErrorDocument": {"Key": "oops.html"}})
    s3.expect(s3.visit(bucket, "/missing.html"), _page(404, own), html)
    s3.expect(s3.visit(bucket, "/index.html"), ok(), body(HOME))


@scenario(
    "WEB-005",
    EXTENDED,
    "PutBucketWebsite",
    source="LocalStack test_website_hosting_http_methods (recorded on AWS)",
    clients=("raw",),
)
def website_is_read_only(s3: Scene) -> None:
    """The website endpoint answers other methods than GET and HEAD with 405, and changes nothing.

    S3 promises: the website is for reading. POST, PUT and DELETE are 405, whatever the policy of the bucket allows.

    Breaks: an endpoint that passes them on to the API lets visitors write wherever a policy was a little too wide.

    Fix: check the method before anything else at this endpoint.
    """
    bucket = site(s3, INDEX, {"index.html": HOME})
    s3.expect(s3.visit(bucket, "/index.html"), ok(), body(HOME))
    s3.expect(s3.visit(bucket, "/index.html", "HEAD"), ok(), header("Content-Length", str(len(HOME))))
    for method in ("POST", "PUT", "DELETE"):
        s3.expect(s3.visit(bucket, "/index.html", method), refused(405))
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="index.html"), ok(), body(HOME))


@scenario(
    "WEB-006",
    EXTENDED,
    "PutObject",
    "PutBucketWebsite",
    source="LocalStack test_object_website_redirect_location (recorded on AWS)",
    clients=("raw",),
)
def redirecting_object(s3: Scene) -> None:
    """An object stored with x-amz-website-redirect-location is answered 301 to there at the website endpoint.

    S3 promises: the header may hold a path of the site or a whole URL; visitors are sent there with 301. The API goes
    on to serve the object, and tells the header.

    Breaks: moved pages of static sites: deployment tools store such objects for every old address.

    Fix: keep the header with the object, and look at it in the website endpoint before sending the body.
    """
    bucket = site(s3, INDEX, {"index.html": HOME})
    for key, target in (("old.html", "/index.html"), ("away.html", "https://www.example.com/there")):
        content = b"<html>moved</html>"
        put = s3.call("PutObject", Bucket=bucket, Key=key, Body=content, WebsiteRedirectLocation=target)
        s3.expect(put, ok())
        moved = s3.visit(bucket, f"/{key}")
        s3.check(moved.status == 301, "status 301", f"got {moved.summary()}", moved)
        s3.expect(moved, header("Location", target))
        read = s3.look("GetObject", Bucket=bucket, Key=key)
        s3.expect(read, ok(), body(content), header("x-amz-website-redirect-location", target))


@scenario(
    "WEB-007",
    EXTENDED,
    "PutBucketWebsite",
    source="LocalStack test_routing_rules_redirects and test_website_hosting_redirect_all (recorded on AWS)",
    clients=("raw",),
)
def routing_rules(s3: Scene) -> None:
    """Routing rules and redirect-all lead to the Location that they describe.

    S3 promises: a rule with a key prefix replaces it in the path (301 by default); one for an error code redirects
    with the status, host and protocol it gives, only where that error occurs. RedirectAllRequestsTo sends every path,
    unchanged, to another host.

    Breaks: domains that moved, and sites that fall back to another origin for pages they do not have.

    Fix: try rules without an error condition before reading the object and the others after the error; take what a
    rule leaves open from the request.
    """
    rules = [
        {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}},
        {
            "Condition": {"HttpErrorCodeReturnedEquals": "404"},
            "Redirect": {"HostName": "www.example.com", "Protocol": "https", "HttpRedirectCode": "302"},
        },
    ]
    bucket = site(s3, INDEX | {"RoutingRules": rules}, {"index.html": HOME})
    s3.expect(s3.visit(bucket, "/index.html"), ok(), body(HOME))
    s3.expect(s3.visit(bucket, "/old/page.html"), _redirects(301, "/new/page.html"))
    s3.expect(s3.visit(bucket, "/missing.html"), _redirects(302, "/missing.html", "www.example.com", "https"))
    configure(s3, bucket, {"RedirectAllRequestsTo": {"HostName": "www.example.com", "Protocol": "https"}})
    s3.expect(s3.visit(bucket, "/a/b.html"), _redirects(301, "/a/b.html", "www.example.com", "https"))
