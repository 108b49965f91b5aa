from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.chain import Chain, fresh_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """An anvil of the module's own, which mines every transaction at once."""
    with fresh_chain(tmp_path_factory.mktemp("chain")) as fresh:
        yield fresh
