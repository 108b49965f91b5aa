"""Batches of records as no client of ours writes them: made by hand, sent as they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import stamina
from kafka.admin import KafkaAdminClient
from kafka.errors import NotLeaderForPartitionError, for_code
from kafka.protocol.producer import ProduceRequest
from kafka.record.default_records import DefaultRecordBatchBuilder as Builder
from kafka.record.util import calc_crc32c, encode_varint

LITERAL_MAX = 60  # bytes of snappy's shortest kind of literal


class OddName(str):
    """The name of a header: on the wire it is no UTF-8."""

    def encode(self, *_: Any) -> bytes:
        return b"odd\xff"


ODD = [(OddName("odd"), b"")]


def batch(*records: tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]) -> bytearray:
    """Key, value and headers of each."""
    builder = Builder(2, Builder.CODEC_NONE, False, -1, -1, -1, 1_000_000)
    for number, (key, value, headers) in enumerate(records):
        assert builder.append(number, 1_000, key, value, headers)
    return builder.build()


def in_snappy(plain: bytearray) -> bytearray:
    """The same batch in a codec that its readers here do not have."""
    size = Builder.HEADER_STRUCT.size
    packed = plain[:size] + b"".join(_snappy(bytes(plain[size:])))
    struct.pack_into(">i", packed, 8, len(packed) - Builder.AFTER_LEN_OFFSET)
    struct.pack_into(">h", packed, Builder.ATTRIBUTES_OFFSET, Builder.CODEC_SNAPPY)
    crc = calc_crc32c(memoryview(packed)[Builder.ATTRIBUTES_OFFSET :])
    struct.pack_into(">I", packed, Builder.CRC_OFFSET, crc)
    return packed


# A topic that was made just now may not have a leader yet.
@stamina.retry(on=NotLeaderForPartitionError, timeout=20.0, attempts=None, wait_initial=0.02)
def send_batch(kafka: str, topic: str, partition: int, records: bytearray) -> int:
    """Its first offset, once the broker has taken it."""
    of_topic = ProduceRequest.TopicProduceData
    part = of_topic.PartitionProduceData(index=partition, records=records)
    request = ProduceRequest(
        transactional_id=None,
        acks=-1,
        timeout_ms=5_000,
        topic_data=[of_topic(name=topic, partition_data=[part])],
        min_version=3,
        max_version=9,
    )
    admin = KafkaAdminClient(bootstrap_servers=[kafka])
    try:
        manager = admin._manager
        (broker,) = manager.cluster.brokers()

        async def sent() -> Any:
            return await manager.send(request, node_id=broker.node_id)

        answer = manager.run(sent).responses[0].partition_responses[0]
    finally:
        admin.close()
    if answer.error_code:
        raise for_code(answer.error_code)(answer.error_message)
    return int(answer.base_offset)


def _snappy(data: bytes) -> Iterator[bytes]:
    """Its length, a varint without sign, and the data as literals."""
    size = bytearray()
    encode_varint(len(data) // 2 if len(data) % 2 == 0 else -(len(data) + 1) // 2, size.append)
    yield bytes(size)
    for start in range(0, len(data), LITERAL_MAX):
        literal = data[start : start + LITERAL_MAX]
        yield bytes([(len(literal) - 1) << 2]) + literal
