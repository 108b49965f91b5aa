"""What is so, read where it is kept: the ledger, the chain, the store, the topics."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
from eth_utils import keccak

from consumers.gateways.s3 import s3_client
from consumers.topics import topic_of
from domain.mint_view import order_ref
from ledger.chain import verify
from tests.consumers.topic_reading import Read, by_key, first_ids, read_topics

if TYPE_CHECKING:
    from tests.e2e.stage import Stage

EVENTS = """
SELECT originator_id, originator_version, topic, event->'data', mg_recorded_at, mg_position
FROM mega_generations
WHERE originator_id = ANY (%s) OR event->'data'->>'character_id' = %s
ORDER BY mg_position
"""
OF_FID = """
SELECT originator_id, originator_version, topic, event->'data', mg_recorded_at, mg_position
FROM mega_generations
WHERE (event->'data'->>'fid')::bigint = %s
ORDER BY mg_position
"""
OF_STREAMS = """
SELECT originator_id, originator_version, topic, event->'data', mg_recorded_at, mg_position
FROM mega_generations
WHERE originator_id ^@ %s
ORDER BY mg_position
"""
MOVED = "0x" + keccak(text="Transfer(address,address,uint256)").hex()


@dataclass(frozen=True)
class Fact:
    """One event of the ledger."""

    stream: str
    version: int
    topic: str
    data: dict[str, Any]
    at: Any
    position: int

    @property
    def name(self) -> str:
        """The event's type without its version: `order_opened`."""
        return self.topic.partition(".")[0]


class Facts:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        url = self._stage.database.superuser_url
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def events(self, character_id: str, *streams: str) -> list[Fact]:
        """Everything that happened to a character and its orders, in order."""
        return [Fact(*row) for row in self.rows(EVENTS, list(streams), character_id)]

    def names(self, character_id: str) -> list[str]:
        return [fact.name for fact in self.events(character_id)]

    def count(self, character_id: str, name: str) -> int:
        return self.names(character_id).count(name)

    def recoveries(self, order_id: str) -> list[tuple[Any, ...]]:
        """(kind, facts) of each case of an order."""
        statement = "SELECT kind, facts FROM views.recoveries WHERE stream = %s ORDER BY position"
        return self.rows(statement, f"order:{order_id}")

    def of_fid(self, fid: int) -> list[Fact]:
        """Everything that happened to the payments of a fid, in order."""
        return [Fact(*row) for row in self.rows(OF_FID, fid)]

    def of_batch(self, batch_id: str) -> list[Fact]:
        """Everything that happened to a batch, in order."""
        return self.of_streams(f"batch:{batch_id}")

    def of_streams(self, named: str) -> list[Fact]:
        """Everything in the streams whose names begin so, in order."""
        return [Fact(*row) for row in self.rows(OF_STREAMS, named)]

    def head(self) -> int:
        """The position of what was recorded last."""
        return int(self.rows("SELECT max(mg_position) FROM mega_generations")[0][0])

    # The chain.

    def dollars(self, payer: str) -> list[int]:
        """What a payer paid us in USDC, in blocks that are still there: atomic units, in order."""
        contracts = self._stage.chain.contracts
        between = ["0x" + each[2:].lower().rjust(64, "0") for each in (payer, contracts["pay_to"])]
        question = {"address": contracts["usdc"], "fromBlock": "0x0", "topics": [MOVED, *between]}
        logs = self._stage.chain.call("eth_getLogs", question)
        return [int(log["data"], 16) for log in logs]

    def logs(self, order_id: str) -> list[dict[str, Any]]:
        """Events of our contract that name an order, in blocks that are still there."""
        chain = self._stage.chain
        question = {"address": chain.role_mint, "fromBlock": "0x0", "toBlock": "latest"}
        question["topics"] = [None, order_ref(order_id)]  # type: ignore[assignment]
        found: list[dict[str, Any]] = chain.call("eth_getLogs", question)
        return found

    def token_ids(self, order_id: str) -> list[str]:
        """The tokens that exist for an order, by the chain."""
        return [str(int(log["topics"][3], 16)) for log in self.logs(order_id) if log["topics"][3:]]

    # The store.

    def pictures(self, character_id: str) -> list[str]:
        env = self._stage.world.gives("s3")
        client = s3_client(
            endpoint_url=env["S3_ENDPOINT_URL"],
            access_key=env["S3_ACCESS_KEY"],
            secret_key=env["S3_SECRET_KEY"],
        )
        bucket = env.get("S3_BUCKET", "assets")
        found = client.list_objects_v2(Bucket=bucket, Prefix=f"characters/{character_id}/")
        return [item["Key"] for item in found.get("Contents", [])]

    # What must hold of every finished character, whatever happened on the way.

    def check_delivered(self, card: dict[str, Any]) -> None:
        """Paid once, one token, one picture that anybody can read, as the ledger says."""
        events = self.events(card["id"])
        names = [fact.name for fact in events]
        order_id = card["mint_order_id"]
        assert card["mint_ui_state"] == "done" and card["mint_paid"], card
        assert not card["will_charge"] and card["next_action"] == "open", card
        assert len(standing_payments(events)) == 1, names
        assert names.count("payment_surplus_recorded") == 0, names
        assert names.count("image_stored") == 1, names
        assert self.token_ids(order_id) == [card["on_chain_token_id"]], names
        stored = next(fact.data for fact in events if fact.name == "image_stored")
        public = httpx.get(card["image_url"]).raise_for_status().content
        assert sha256(public).hexdigest() == stored["sha256"]
        assert len(self.pictures(card["id"])) == 1
        asked = names.index("generation_requested")
        assert names.index("payment_settled") < asked < names.index("image_stored"), names

    def check_ledger(self) -> None:
        """The chain of hashes holds over everything that happened here."""
        found = verify(self._stage.database.superuser_url)
        assert found.ok and found.position, found

    def check_topics(self) -> None:
        """Every event is on its topic, per stream in the order of the stream, and nothing else.

        What happens meanwhile may be there already.
        """
        due = self._lanes()
        kafka = self._stage.world.gives("kafka")["KAFKA_BOOTSTRAP_SERVERS"]
        wanted = {id_ for ids in due.values() for id_ in ids}

        def whole(messages: list[Read]) -> bool:
            return wanted <= {message.id for message in messages if not _notice(message)}

        read = read_topics(kafka, f"{self._stage.prefix}mega.", whole)
        lanes = by_key([message for message in read if not _notice(message)])
        now = self._lanes()
        assert due and due.keys() <= lanes.keys() <= now.keys()
        for key, messages in lanes.items():
            ids = first_ids(messages)
            assert ids == now[key][: len(ids)] and len(ids) >= len(due.get(key, ())), key

    def _lanes(self) -> dict[tuple[str, str], list[str]]:
        """The events of each (topic, stream), in order."""
        lanes: dict[tuple[str, str], list[str]] = {}
        for stream, version in self.rows(
            "SELECT originator_id, originator_version FROM mega_generations ORDER BY mg_position"
        ):
            if topic := topic_of(stream):
                name = self._stage.prefix + topic
                lanes.setdefault((name, stream), []).append(f"{stream}/{version}")
        return lanes


def standing_payments(events: list[Fact]) -> list[str]:
    """Transactions that pay, less those that a reorg took back."""
    paid: list[str] = []
    for fact in events:
        if fact.name == "payment_settled":
            paid.append(fact.data["tx_hash"])
        elif fact.name == "payment_retracted" and fact.data["tx_hash"] in paid:
            paid.remove(fact.data["tx_hash"])
    return paid


def _notice(message: Read) -> bool:
    return message.topic.endswith("mega.parked")
