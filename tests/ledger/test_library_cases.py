"""The persistence cases of `eventsourcing` itself, run on this ledger with nothing changed in them:
only how a recorder is made, and which classes to expect, is told (`ledger.md`, Library)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.tests import application as application_cases
from eventsourcing.tests import persistence as persistence_cases
from eventsourcing.utils import Environment

from ledger import recorder as faces
from tests.world import Database

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestCollectionWarning")


class OnALedger:
    """Gives each case a fresh database, and closes what the case leaves open."""

    store: faces.Store
    env: Environment

    @pytest.fixture(autouse=True)
    def _fresh_ledger(self, database: Database) -> Iterator[None]:
        settings = {"PERSISTENCE_MODULE": "ledger.recorder", "DATABASE_URL": database.url}
        before = dict(os.environ)
        os.environ.update(settings)
        self.env = Environment("case", settings)
        self.store = faces.Store(database.url)
        self.store.prepare()
        yield
        self.store.close()
        os.environ.clear()
        os.environ.update(before)


class TestAggregateRecorder(OnALedger, persistence_cases.AggregateRecorderTestCase):
    def create_recorder(self) -> faces.LedgerAggregateRecorder:
        return faces.LedgerAggregateRecorder(self.store)


class TestSnapshotRecorder(OnALedger, persistence_cases.AggregateRecorderTestCase):
    def create_recorder(self) -> faces.SnapshotRecorder:
        return faces.SnapshotRecorder(self.store, "snapshots")


class TestApplicationRecorder(OnALedger, persistence_cases.ApplicationRecorderTestCase[Any]):
    def create_recorder(self) -> faces.LedgerApplicationRecorder:
        return faces.LedgerApplicationRecorder(self.store)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnALedger, persistence_cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> faces.LedgerApplicationRecorder:
        return faces.LedgerApplicationRecorder(self.store)


class TestTrackingRecorder(OnALedger, persistence_cases.TrackingRecorderTestCase):
    def create_recorder(self) -> faces.LedgerTrackingRecorder:
        return faces.LedgerTrackingRecorder(self.store)


class TestProcessRecorder(OnALedger, persistence_cases.ProcessRecorderTestCase):
    def create_recorder(self) -> faces.LedgerProcessRecorder:
        return faces.LedgerProcessRecorder(self.store)


class OwnTrackingRecorder(faces.LedgerTrackingRecorder):
    pass


class TestFactory(OnALedger, persistence_cases.InfrastructureFactoryTestCase[faces.LedgerFactory]):
    def expected_factory_class(self) -> type[faces.LedgerFactory]:
        return faces.LedgerFactory

    def expected_aggregate_recorder_class(self) -> type[faces.LedgerAggregateRecorder]:
        return faces.LedgerAggregateRecorder

    def expected_application_recorder_class(self) -> type[faces.LedgerApplicationRecorder]:
        return faces.LedgerApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[faces.LedgerTrackingRecorder]:
        return faces.LedgerTrackingRecorder

    def tracking_recorder_subclass(self) -> type[faces.LedgerTrackingRecorder]:
        return OwnTrackingRecorder

    def expected_process_recorder_class(self) -> type[faces.LedgerProcessRecorder]:
        return faces.LedgerProcessRecorder


class TestExampleApplication(OnALedger, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = "ledger.recorder:LedgerFactory"


class TestApplication(OnALedger, application_cases.ApplicationTestCase):
    pass


class TestWhatTheCasesDoNotAsk(OnALedger):
    def test_any_state_comes_back_and_json_objects_stay_readable(self) -> None:
        recorder = faces.LedgerApplicationRecorder(self.store)
        states = [b"\x00\xff", b"", b"1", b"[]", b'{"a":"\\u0000"}', b'{"a":1e16}', b'{"a":NaN}']
        states += [b'{"$bytes":"x"}', b'{"pass_id":"p","matcha_delta":5}', b'{"step_no":"x"}']
        states += [b'{"a": 1}', b'{"deep": {"list": [true, null, "text"]}}']
        stored = [StoredEvent("thing:1", n, "topic", state) for n, state in enumerate(states, 1)]
        recorder.insert_events(stored)
        assert recorder.select_events("thing:1") == stored
        readable = "SELECT count(*) FROM mega_generations WHERE NOT event->'data' ? '$bytes'"
        with self.store.transaction() as connection:
            assert connection.execute(readable).fetchall() == [(2,)]

    def test_a_stream_numbered_from_zero_goes_on_where_it_stopped(self) -> None:
        recorder = faces.LedgerApplicationRecorder(self.store)
        events = [StoredEvent("thing:1", n, "topic", b"{}") for n in range(4)]
        recorder.insert_events(events[:1])
        recorder.insert_events(events[1:])
        assert recorder.select_events("thing:1", gt=0, lte=2) == events[1:3]
        with pytest.raises(IntegrityError):
            recorder.insert_events(events[2:3])
