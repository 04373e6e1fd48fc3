"""Buckets whose objects are shown as a website, which takes a policy that lets everybody read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.expect import ok, output
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._policies import admit_the_public, policy, statement

INDEX = {"IndexDocument": {"Suffix": "index.html"}}
HOME = b"<html><body>home</body></html>"


def site(s3: Scene, configuration: Mapping[str, Any], pages: Mapping[str, bytes]) -> str:
    """A new bucket that everybody may read and list, with these pages by key, shown as configured."""
    if not s3.witness.endpoint.website:
        raise Inexpressible("needs the website endpoint (S3CONFORM_WEBSITE_ENDPOINT)")
    bucket = s3.new_bucket()
    admit_the_public(s3, bucket)
    everybody = policy(
        statement("Allow", "s3:GetObject", f"{bucket}/*"),
        statement("Allow", "s3:ListBucket", bucket),  # without it a missing page is 403
    )
    s3.setup("PutBucketPolicy", Bucket=bucket, Policy=everybody)
    for key, content in pages.items():
        s3.put(key, content, Bucket=bucket, ContentType="text/html")
    configure(s3, bucket, configuration)
    return bucket


def configure(s3: Scene, bucket: str, configuration: Mapping[str, Any]) -> None:
    """The client configures the website, and the witness finds it so."""
    s3.expect(s3.call("PutBucketWebsite", Bucket=bucket, WebsiteConfiguration=dict(configuration)), ok())
    shown = s3.look("GetBucketWebsite", Bucket=bucket)
    s3.expect(shown, ok(), *(output(member, value) for member, value in configuration.items()))
