"""Each part, started for real, does what the application will ask of it."""

from __future__ import annotations

import boto3
import httpx
import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from psycopg import errors

from tests.world import Chain, Database, TestWorld


def test_the_application_role_owns_nothing_and_is_no_superuser(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        role = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert role == ("mega_app", False, False)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (n int)")


def test_two_tests_get_two_databases(database: Database, world: TestWorld) -> None:
    with world.database() as other:
        with psycopg.connect(other.admin_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE only_here (n int)")
        with psycopg.connect(database.admin_url) as connection:
            found = connection.execute("SELECT to_regclass('only_here')").fetchone()
    assert found == (None,)


def test_a_message_put_on_a_topic_is_read_back(kafka: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}greetings"
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka)
    producer.send(topic, b"hello").get(timeout=10)
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    assert next(consumer).value == b"hello"
    consumer.close()


def test_a_stored_picture_is_public_and_the_bucket_is_not(s3: dict[str, str]) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=s3["S3_ENDPOINT_URL"],
        aws_access_key_id=s3["S3_ACCESS_KEY"],
        aws_secret_access_key=s3["S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    client.put_object(Bucket=s3["S3_BUCKET"], Key="a/b.png", Body=b"png", ContentType="image/png")
    picture = httpx.get(f"{s3['S3_PUBLIC_BASE_URL']}/a/b.png")
    assert (picture.status_code, picture.content) == (200, b"png")
    assert httpx.get(f"{s3['S3_PUBLIC_BASE_URL']}/").status_code == 403
    assert httpx.put(f"{s3['S3_PUBLIC_BASE_URL']}/c.png", content=b"x").status_code == 403


def test_a_fresh_chain_has_the_contracts_and_ten_rich_wallets(chain: Chain) -> None:
    assert len(chain.wallets) == 10
    for name in ("payment_token", "role_mint"):
        code = rpc(chain, "eth_getCode", chain.contracts[name], "latest")
        assert len(code) > 100
    for wallet in chain.wallets:
        assert int(rpc(chain, "eth_getBalance", wallet["address"], "latest"), 16) == 100 * 10**18


def test_a_killed_chain_comes_back_with_its_contracts(chain: Chain, world: TestWorld) -> None:
    chain.keeper.kill()
    world.run(chain.keeper.start())
    assert len(rpc(chain, "eth_getCode", chain.contracts["role_mint"], "latest")) > 100


def rpc(chain: Chain, method: str, *params: object) -> str:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return str(httpx.post(chain.rpc_url, json=question).json()["result"])
