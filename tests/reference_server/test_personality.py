"""Personalities: data about other gateways, read by name."""

from __future__ import annotations

import pytest

from reference_server.model import service_model
from reference_server.personality import UnknownPersonalityError, load, names


@pytest.mark.parametrize("name", names())
def test_refusals_name_operations_of_the_model(name: str) -> None:
    assert set(load(name).refusals) <= set(service_model().document["operations"])


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownPersonalityError, match="did you mean 'auto-drive'"):
        load("autodrive")
