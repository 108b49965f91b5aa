"""A message is published, or its caller is told to try again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from consumers.gateways.ports import TryAgain, WillNotWork
from consumers.producer import Publisher
from tests.consumers.topic_reading import read_topics
from tests.world import TestWorld


async def test_a_published_message_is_there_with_its_id_and_key(
    kafka: str, topic_prefix: str
) -> None:
    publisher = Publisher([kafka], topic_prefix)
    await publisher.publish("chain.results", "order:1", {"order_id": "1"}, message_id="m-1")
    await publisher.close()
    [message] = read_topics(kafka, topic_prefix)
    assert (message.key, message.id, message.value) == ("order:1", "m-1", {"order_id": "1"})
    assert message.headers["ce_type"] == "chain.results"
    assert message.headers["content-type"] == "application/json"


async def test_without_a_broker_the_caller_tries_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        publisher = Publisher([f"127.0.0.1:{nobody.getsockname()[1]}"], "")
        with pytest.raises(TryAgain):
            await publisher.publish("chain.results", "order:1", {}, message_id="m")
        await publisher.close()


async def test_a_broker_that_goes_and_comes_back(
    world: TestWorld, kafka: str, topic_prefix: str
) -> None:
    publisher = Publisher([kafka], topic_prefix)
    await publisher.publish("chain.results", "order:1", {}, message_id="before")
    await asyncio.to_thread(lambda: world.run(world.keeper("kafka").stop()))
    try:
        lost = [
            publisher.publish("chain.results", f"order:{n}", {}, message_id=f"during {n}")
            for n in range(20)
        ]
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*lost, return_exceptions=True)
        assert [type(answer) for answer in answers] == [TryAgain] * 20
    finally:
        await asyncio.to_thread(lambda: world.run(world.keeper("kafka").start()))
    await publisher.publish("chain.results", "order:1", {}, message_id="after")
    await publisher.close()
    ids = {message.id for message in read_topics(kafka, topic_prefix)}
    assert {"before", "after"} <= ids


async def test_a_message_too_large_for_any_broker_will_not_work(
    kafka: str, topic_prefix: str
) -> None:
    publisher = Publisher([kafka], topic_prefix)
    with pytest.raises(WillNotWork):
        await publisher.publish("chain.results", "k", {"x": "y" * 1_000_000}, message_id="m")
    await publisher.publish("chain.results", "k", {"x": "y"}, message_id="m")
    await publisher.close()
