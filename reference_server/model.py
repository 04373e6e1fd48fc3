"""The S3 service model that botocore ships, loaded from its own data only."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def service_model() -> ServiceModel:
    """The model; models that a user keeps under ~/.aws are left out, they would change the server."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model("s3", "service-2"), "s3")
