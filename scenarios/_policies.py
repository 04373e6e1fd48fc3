"""Bucket policies as scenarios write and read them, and requests by nobody in particular."""

from __future__ import annotations

import json
from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher, ok, one_of
from harness.scene import Scene

ANYONE = "*"


def statement(effect: str, action: str | list[str], *resources: str, principal: Any = ANYONE) -> dict[str, Any]:
    """One statement of a policy; resources are `BUCKET` or `BUCKET/KEY`, with `*` as the policy language has it."""
    arns = [f"arn:aws:s3:::{resource}" for resource in resources]
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": arns[0] if len(arns) == 1 else arns}


def policy(*statements: dict[str, Any]) -> str:
    """A policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def taken() -> Matcher:
    """Success of PutBucketPolicy; that it is 204 is POL-001's statement."""
    return one_of(ok(204), ok())


def shows_policy(text: str) -> Matcher:
    """GetBucketPolicy answered with this policy; spaces and the order of members do not matter."""
    wanted = json.loads(text)

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        found = seen.output.get("Policy") or (seen.body or b"").decode("utf-8", "replace")
        try:
            return "" if json.loads(found) == wanted else f"the policy was {found[:200]}"
        except ValueError:
            return f"the answer is not JSON: {found[:100]!r}"

    return Matcher(f"the policy {text}", test)


def admit_the_public(s3: Scene, bucket: str) -> None:
    """Remove the public access block, if the endpoint has such a thing at all: new buckets of AWS have all of it."""
    s3.look("DeletePublicAccessBlock", Bucket=bucket)


def anonymously(s3: Scene, bucket: str, key: str) -> Observed:
    """GET of an object without a signature."""
    found = s3.witness.send("GetObject", "GET", f"/{bucket}/{key}", bucket=bucket, signing=None)
    return s3.keep("witness", found)
