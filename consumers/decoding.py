"""Records that kafka-python cannot decode, passed on at their places instead of raised.

Anybody who may write to a topic can write one; raised, it would stop the topic for good, because
every reader starts again in front of it. Kept in its place, it is parked like any other message
that cannot be taken. A batch with a wrong checksum still raises: nobody wrote it so, it was damaged
on its way, and reading it again is the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.util import decode_varint

from consumers.message import UNREADABLE, described


def pass_unreadable(consumer: KafkaConsumer) -> KafkaConsumer:
    """Lets it poll what it cannot decode as records with the header UNREADABLE, which says why.

    A record has the key and the value that it was sent with, or neither when it is broken before
    its headers. Where no record can be told from the next, in a codec that is not installed for
    example, one record without either stands for them all, at the last of their offsets: so that
    whoever reads on after it does not meet the batch again.
    """
    consumer._fetcher.PartitionRecords = _Records  # no public way in kafka-python 3.0.12
    return consumer


class _Records(Fetcher.PartitionRecords):
    def _unpack_records(self, place: Any, records: Any, *deserializers: Any) -> Iterator[Any]:
        return super()._unpack_records(place, _Batches(records), *deserializers)


class _Batches:
    def __init__(self, records: Any) -> None:
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return _Batch(batch._buffer) if isinstance(batch, DefaultRecordBatch) else batch


class _Batch(DefaultRecordBatch):
    __slots__ = ()

    def __iter__(self) -> Iterator[DefaultRecord]:
        next_offset = self.base_offset
        try:
            self._maybe_uncompress()
            while self._next_record_index < self.records_count:
                record = self._read(next_offset)
                self._next_record_index += 1
                next_offset = record.offset + 1
                yield record
        except Exception as lost:  # noqa: BLE001 — every codec has errors of its own; it is parked
            span = f"offsets {next_offset} to {self.last_offset}: {described(lost)}"
            yield self._unreadable(self.last_offset, None, None, span)

    def _read(self, offset: int) -> DefaultRecord:
        """The next record; `offset` is its own if it cannot be decoded.

        Raises ValueError, IndexError or CorruptRecordError when it has no end.
        """
        start = self._pos
        try:
            return self._read_msg()
        except (ValueError, IndexError, CorruptRecordError) as broken:
            length, begin = decode_varint(self._buffer, start)
            end = begin + length
            if not begin < end <= len(self._buffer):
                raise
            self._pos = end
            key, value = _body(self._buffer[begin:end])
            return self._unreadable(offset, key, value, described(broken))

    def _unreadable(
        self, offset: int, key: bytes | None, value: bytes | None, why: str
    ) -> DefaultRecord:
        headers = [(UNREADABLE, why.encode())]
        kind = self.timestamp_type
        return DefaultRecord(0, offset, self.max_timestamp, kind, key, value, headers)


def _body(record: bytearray) -> tuple[bytes | None, bytes | None]:
    """Key and value of a record without its length; neither when they cannot be told apart."""
    try:
        pos = 0
        for _ in ("attributes", "timestamp", "offset"):
            _, pos = decode_varint(record, pos)
        key, pos = _bytes(record, pos)
        value, _ = _bytes(record, pos)
    except (ValueError, IndexError):
        return None, None
    return key, value


def _bytes(record: bytearray, pos: int) -> tuple[bytes | None, int]:
    length, pos = decode_varint(record, pos)
    if length < 0:
        return None, pos
    if pos + length > len(record):
        raise ValueError("longer than its record")
    return bytes(record[pos : pos + length]), pos + length
