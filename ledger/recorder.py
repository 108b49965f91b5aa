"""The recorder faces of the `eventsourcing` library over this ledger: its Application works on it.

`PERSISTENCE_MODULE=ledger.recorder` and `DATABASE_URL` choose it. Events go through `mega_append`
like any other; tracking and snapshots, which are no facts, have tables in `consumers`. Mega's own
processes do not use these faces (`invariants.md`, hazard 1, says why the library's are not used).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    ProcessRecorder,
    Recorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, resolve_topic, strtobool
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from ledger.ledger import SQL as LEDGER_SQL
from ledger.recorder_rows import (
    notification,
    row_of,
    stored_event,
    stream_of,
    streams_begun_at_zero,
)
from ledger.rows import append_values
from ledger.statements import named_statements

SQL = named_statements(Path(__file__).with_suffix(".sql"))
CONNECTIONS_MAX = 8
POLL_SECONDS = 0.03
PAGE = 500


class Store:
    """Connections of one application, and the library's names for what can go wrong."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool(
            url, min_size=0, max_size=CONNECTIONS_MAX, open=False, kwargs={"autocommit": True}
        )

    def prepare(self) -> None:
        with self.transaction() as connection:
            connection.execute(SQL["prepare"])

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._pool.open()
        try:
            with self._pool.connection() as connection, connection.transaction():
                yield connection
        except PoolTimeout as late:
            raise persistence.OperationalError(str(late)) from late
        except psycopg.Error as error:
            raise _in_the_librarys_words(error) from error

    def rows(self, statement: str, values: Any) -> list[Any]:
        with self.transaction() as connection:
            return connection.execute(SQL[statement], values).fetchall()

    def close(self) -> None:
        self._pool.close()


class OnStore(Recorder):
    def __init__(self, store: Store) -> None:
        self.store = store


class LedgerAggregateRecorder(OnStore, AggregateRecorder):
    """Streams of the ledger."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        self._append(stored_events, **kwargs)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        asked = {"gt": gt, "lte": lte, "limit": limit, "direction": -1 if desc else 1}
        rows = self.store.rows("events", {"stream": stream_of(originator_id), **asked})
        return [stored_event(row) for row in rows]

    def _append(self, events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        with self.store.transaction() as connection:
            self._beside(connection, **kwargs)
            if not events:
                return []
            streams = list({stream_of(event.originator_id) for event in events})
            known = connection.execute(SQL["numbered_from_zero"], (streams,)).fetchall()
            from_zero = streams_begun_at_zero(events) | {stream for (stream,) in known}
            rows = tuple(row_of(e, stream_of(e.originator_id) in from_zero) for e in events)
            values = append_values([rows], timedelta())
            ((_, last, conflict),) = connection.execute(LEDGER_SQL["append"], values).fetchall()
            if conflict is not None:
                raise IntegrityError(f"{conflict} does not stand where these events would follow")
            return list(range(last - len(rows) + 1, last + 1))

    def _beside(self, connection: Connection, **kwargs: Any) -> None:
        """What else is recorded in the same transaction."""


class LedgerApplicationRecorder(LedgerAggregateRecorder, ApplicationRecorder):
    """The ledger as a notification log; positions are dense, so no gap is ever seen."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return self._append(stored_events, **kwargs)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - int(inclusive_of_start and start is not None)
        asked = {"after": after, "stop": stop, "topics": list(topics), "limit": limit}
        return [notification(row) for row in self.store.rows("notifications", asked)]

    def max_notification_id(self) -> int | None:
        position: int | None = self.store.rows("last_position", ())[0][0]
        return position

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return LedgerSubscription(self, gt, topics)


class LedgerSubscription(Subscription[LedgerApplicationRecorder]):
    """Polls: a NOTIFY in the append would serialise the commits of everybody."""

    def __init__(
        self, recorder: LedgerApplicationRecorder, gt: int | None, topics: Sequence[str]
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._stopped = Event()
        self._page: list[Notification] = []

    def stop(self) -> None:
        super().stop()
        self._stopped.set()

    def __next__(self) -> Notification:
        while not self._stopped.is_set():
            if self._page:
                return self._page.pop(0)
            self._page = list(
                self._recorder.select_notifications(
                    self._last_notification_id or 0,
                    PAGE,
                    None,
                    self._topics,
                    inclusive_of_start=False,
                )
            )
            if self._page:
                self._last_notification_id = self._page[-1].id
            else:
                self._stopped.wait(POLL_SECONDS)
        raise StopIteration


class LedgerTrackingRecorder(OnStore, TrackingRecorder):
    """How far an application has come in what others tell it: one row each, only forwards."""

    def insert_tracking(self, tracking: Tracking) -> None:
        with self.store.transaction() as connection:
            self._track(connection, tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        position: int | None = self.store.rows("tracked", (application_name,))[0][0]
        return position

    def _track(self, connection: Connection, tracking: Tracking) -> None:
        values = (tracking.application_name, tracking.notification_id)
        if connection.execute(SQL["track"], values).fetchone() is None:
            raise IntegrityError(f"{tracking.application_name} is already past {values[1]}")


class LedgerProcessRecorder(LedgerTrackingRecorder, LedgerApplicationRecorder, ProcessRecorder):
    """Events and the position of what caused them, in one transaction."""

    def _beside(self, connection: Connection, **kwargs: Any) -> None:
        tracking: Tracking | None = kwargs.get("tracking")
        if tracking is not None:
            self._track(connection, tracking)


class SnapshotRecorder(OnStore, AggregateRecorder):
    """Snapshots are no facts: they may have gaps, may be thrown away, and are not in the ledger."""

    def __init__(self, store: Store, purpose: str) -> None:
        super().__init__(store)
        self.purpose = purpose

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        with self.store.transaction() as connection:
            for e in stored_events:
                values = (self.purpose, stream_of(e.originator_id), e.originator_version)
                connection.execute(SQL["keep_snapshot"], (*values, e.topic, e.state))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        asked = {"gt": gt, "lte": lte, "limit": limit, "direction": -1 if desc else 1}
        whose = {"purpose": self.purpose, "stream": stream_of(originator_id)}
        return [stored_event(row) for row in self.store.rows("snapshots", {**whose, **asked})]


class LedgerFactory(InfrastructureFactory[LedgerTrackingRecorder]):
    """`DATABASE_URL`: the role of the application; `CREATE_TABLE=f`: its tables are there."""

    def __init__(self, env: Environment | dict[str, str] | None) -> None:
        super().__init__(env)
        url = self.env.get("DATABASE_URL")
        if not url:
            raise OSError("DATABASE_URL is not set: the recorder has no ledger to write to")
        self.store = Store(url)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        if purpose == "events":
            return LedgerAggregateRecorder(self._prepared())
        return SnapshotRecorder(self._prepared(), purpose)

    def application_recorder(self) -> ApplicationRecorder:
        return LedgerApplicationRecorder(self._prepared())

    def tracking_recorder(
        self, tracking_recorder_class: type[LedgerTrackingRecorder] | None = None
    ) -> LedgerTrackingRecorder:
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else None)
        recorder: LedgerTrackingRecorder = (chosen or LedgerTrackingRecorder)(self._prepared())
        return recorder

    def process_recorder(self) -> ProcessRecorder:
        return LedgerProcessRecorder(self._prepared())

    def close(self) -> None:
        self.store.close()

    def _prepared(self) -> Store:
        if strtobool(self.env.get("CREATE_TABLE") or "yes"):
            self.store.prepare()
        return self.store


def _in_the_librarys_words(error: psycopg.Error) -> persistence.PersistenceError:
    """Both name their errors as PEP 249 does."""
    for kind in type(error).__mro__:
        ours = getattr(persistence, kind.__name__, None)
        if isinstance(ours, type) and issubclass(ours, persistence.PersistenceError):
            return ours(str(error))
    return persistence.PersistenceError(str(error))
