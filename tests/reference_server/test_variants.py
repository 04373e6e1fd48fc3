"""Harmless variants: each is seen on the wire, and none changes what boto3 makes of the answers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.app import App
from reference_server.seams import Seams
from reference_server.store import Store
from reference_server.variants import UnknownVariantError, variants

if TYPE_CHECKING:
    from conftest import Running

_numbers = itertools.count()


def story(client: Any, bucket: str) -> list[Any]:
    """What a program sees of a few operations, without what differs from one request to the next."""
    client.create_bucket(Bucket=bucket)
    for key in ("a b", 'q"<é>', "x/1", "x/2"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"name": "value"})
    seen: list[Any] = []
    for operation in ("list_objects", "list_objects_v2"):
        pages = client.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        entries = [entry for page in pages for entry in page.get("Contents", [])]
        seen += [(entry["Key"], entry["ETag"], entry["Size"]) for entry in entries]
    folded = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    seen.append([entry["Prefix"] for entry in folded["CommonPrefixes"]])
    found = client.get_object(Bucket=bucket, Key="a b")
    seen.append((found["Body"].read(), found["ETag"], found["Metadata"], found["ContentLength"]))
    with pytest.raises(client.exceptions.NoSuchKey) as caught:
        client.get_object(Bucket=bucket, Key="none")
    seen.append((caught.value.response["Error"]["Code"], caught.value.response["Error"].get("Key")))
    return seen


@pytest.mark.parametrize("name", variants())
def test_programs_see_no_difference(name: str, running: Running) -> None:
    """boto3 reads the same of every variant."""
    honest = story(running.client(), f"honest-{next(_numbers)}-{name}")
    running.app.behave([], [name])
    try:
        assert story(running.client(), f"variant-{next(_numbers)}-{name}") == honest
    finally:
        running.app.behave([])


@pytest.mark.parametrize("name", variants())
def test_it_says_in_a_sentence_what_is_different(name: str) -> None:
    about = variants()[name].about
    assert about.endswith(".")
    assert variants()[name].wraps


def test_an_unknown_name_is_refused_and_changes_nothing() -> None:
    store = Store()
    app = App(store, {"KEY": "secret"})
    before: Seams = app.seams
    with pytest.raises(UnknownVariantError, match="did you mean 'slower'"):
        app.behave([], ["slowr"])
    assert app.seams is before
    store.close()


def test_every_variant_wraps_a_seam_of_its_own_accord(running: Running) -> None:
    """What is installed differs from the honest function; a variant that does nothing proves nothing."""
    honest = running.app._honest()
    for found in variants().values():
        for seam in found.wraps:
            assert found.wraps[seam](getattr(honest, seam)) is not getattr(honest, seam)
