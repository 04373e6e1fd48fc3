"""The S3 service model that botocore ships, loaded from its own data only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel


@dataclass(frozen=True)
class S3Model:
    """The model as its JSON document and as botocore's classes over it."""

    document: dict[str, Any]
    service: ServiceModel


@cache
def service_model() -> S3Model:
    """The model; models that a user keeps under ~/.aws are left out, they would change the server."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    document = loader.load_service_model("s3", "service-2")
    return S3Model(document, ServiceModel(document, "s3"))


@cache
def regions() -> frozenset[str]:
    """Names of regions that the model knows."""
    known = service_model().document["shapes"]["BucketLocationConstraint"]["enum"]
    return frozenset({*known, "us-east-1"})
