"""Fixtures that every test may ask for; nothing is started before somebody does."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.world import Chain, Child, Database, TestWorld, open_world, start_child

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def world() -> Iterator[TestWorld]:
    """The parts of this run; see tests/world.py."""
    with open_world() as opened:
        yield opened


@pytest.fixture
def database(world: TestWorld) -> Iterator[Database]:
    """A migrated database that only this test uses."""
    with world.database() as made:
        yield made


@pytest.fixture
def topic_prefix() -> str:
    """Put before the names of all topics, it keeps this test's messages apart."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture
def kafka(world: TestWorld) -> str:
    """Bootstrap address of the running broker."""
    return world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]


@pytest.fixture
def s3(world: TestWorld) -> dict[str, str]:
    """Settings of the running object store: S3_ENDPOINT_URL and the like."""
    return world.gives("s3")


@pytest.fixture
def twins(world: TestWorld) -> dict[str, str]:
    """Settings of the running twins: SEEDREAM_URL and the like."""
    return world.gives("twins")


@pytest.fixture
def chain(world: TestWorld) -> Iterator[Chain]:
    """A chain that only this test uses; it mines a block for each transaction."""
    with world.chain() as made:
        yield made


@pytest.fixture
def shared_chain(world: TestWorld) -> Chain:
    """One chain for tests that only add to it."""
    return world.shared_chain()


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """`spawn("api", env={...})` runs `python -m api`; it is ended with the test."""
    children: list[Child] = []

    def start(*arguments: str, env: dict[str, str]) -> Child:
        children.append(start_child(arguments, env, tmp_path))
        return children[-1]

    yield start
    for child in reversed(children):
        if child.poll() is None:
            child.stop()
