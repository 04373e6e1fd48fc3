"""LBKT: requests at the root of the service that ask for nothing it has."""

from __future__ import annotations

from harness.expect import no_body, ok, refused, root
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene


@scenario(
    "LBKT-008",
    SHOULD,
    "ListBuckets",
    source="OpenStack Swift test_head_service_no_sha; versitygw REST test POST call on root endpoint",
    clients=("raw",),
)
def methods_of_the_service(s3: Scene) -> None:
    """HEAD and POST of "/" are refused with 405; for POST with MethodNotAllowed, its Method, and ResourceType SERVICE.

    S3 promises: the service has GET alone. Any other method is 405, and the error names the method and that the
    resource was the service. HEAD has no body, as always.

    Breaks: health checks of load balancers that ask HEAD / take 200 for an answer of a working store and 500 for an
    outage; otherwise strict validation only.

    Fix: route by method and level before anything else, and answer 405 where a level lacks the method.
    """
    s3.expect(s3.send("ListBuckets", "HEAD", "/"), refused(405), no_body())
    fields = {"Method": "POST", "ResourceType": "SERVICE"}
    s3.expect(s3.send("ListBuckets", "POST", "/"), refused(405, "MethodNotAllowed", fields=fields))
    s3.expect(s3.send("ListBuckets", "GET", "/"), ok(), root("ListAllMyBucketsResult"))


@scenario(
    "LBKT-009",
    EXTENDED,
    "ListBuckets",
    source="versitygw REST test service route, invalid method",
    clients=("raw",),
)
def unknown_method(s3: Scene) -> None:
    """A method that HTTP does not know (GETS) is refused with 400 BadRequest.

    S3 promises: such a request is taken for a broken one, not for one that is merely not allowed.

    Breaks: nobody; strict validation only. That the connection survives it, or is closed with an answer, is what
    keeps a proxy in front of the store from failing the next request.

    Fix: compare the method with the known ones when the request line is read.
    """
    s3.expect(s3.send("ListBuckets", "GETS", "/"), refused(400, "BadRequest"))
    s3.expect(s3.send("ListBuckets", "GET", "/"), ok(), root("ListAllMyBucketsResult"))
