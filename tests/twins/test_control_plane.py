"""Scripts, ledgers, clocks and real breaks, against the process on its sockets (contract §11)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.twins.conftest import TwinProcess
from tests.twins.control import HTTP, Control

PATH = "/api/v3/images/generations"
KEY = "ark-key-nobody-should-see"
BODY = {"model": "seedream-4-0-250828", "prompt": "Portrait of an oracle", "size": "1K"}


def generate(twin: Control, timeout: float = 10.0, path: str = PATH) -> httpx.Response:
    return HTTP.post(
        f"{twin.url}{path}",
        json=BODY,
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=timeout,
    )


def raw_answer(twin: Control) -> bytes:
    """Every byte the server sends until it closes the connection."""
    address = urlsplit(twin.url)
    body = json.dumps(BODY).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: twin\r\nAuthorization: Bearer {KEY}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def test_a_script_holds_for_its_number_of_calls_and_then_the_vendor_is_itself(
    seedream: Control,
) -> None:
    before = len(seedream.billed())
    seedream.script(times=2, response={"status": 503, "headers": {"X-Why": 7}, "body": {"a": 1}})
    first, second, third = (generate(seedream) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [503, 503, 200]
    assert first.headers["x-why"] == "7"
    assert first.json() == {"a": 1}
    assert len(seedream.billed()) == before + 1


def test_a_scripted_response_may_still_have_the_effect(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(response={"status": 500}, effect="perform")
    assert generate(seedream).status_code == 500
    assert len(seedream.billed()) == before + 1


def test_an_answer_without_its_effect_is_a_vendor_that_lies(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(effect="none")
    assert generate(seedream).status_code == 200
    assert len(seedream.billed()) == before


def test_the_oldest_fitting_script_is_taken(seedream: Control) -> None:
    seedream.script(match={"method": "GET"}, response={"status": 599})
    seedream.script(match={"path": "/elsewhere"}, response={"status": 598})
    seedream.script(match={"path": PATH, "method": "post"}, response={"status": 551})
    seedream.script(match={"path": "/images/*"}, response={"status": 552})
    assert generate(seedream).status_code == 551
    assert generate(seedream, path="/images/generations").status_code == 552
    assert [rule["response"]["status"] for rule in seedream.get("script")] == [599, 598]


def test_a_script_knows_json_rpc_methods(seedream: Control) -> None:
    seedream.script(match={"rpc_method": "eth_call"}, response={"status": 555})
    assert generate(seedream).status_code == 200
    one = HTTP.post(f"{seedream.url}/", json=[{"id": 1, "method": "eth_call"}])
    assert one.status_code == 555


def test_queued_scripts_are_counted_down_and_reset_forgets_them_but_not_the_ledger(
    seedream: Control,
) -> None:
    seedream.script(times=3, response={"status": 500}, delay_ms=1)
    generate(seedream)
    waiting = {"times": 2, "response": {"status": 500}, "delay_ms": 1}
    assert seedream.get("script") == [waiting]
    assert generate(seedream).status_code == 500
    ledger = seedream.get("ledger")
    assert seedream.post("reset").json() == {"forgotten": 1}
    assert seedream.get("script") == []
    assert seedream.get("ledger") == ledger
    assert generate(seedream).status_code == 200


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"colour": 1}, "There is no field 'colour' here."),
        ({"match": {"host": "x"}}, "There is no field 'match.host' here."),
        ({"times": 0}, "Malformed times: Input should be greater than or equal to 1."),
        ({"times": "2"}, "Malformed times: Input should be a valid integer."),
        ({"drop": "maybe"}, "Malformed drop: Input should be 'before' or 'after_effect'."),
        (
            {"drop": "before", "effect": "perform"},
            "Malformed body: a call dropped before its effect cannot perform it.",
        ),
        (
            {"drop": "after_effect", "effect": "none"},
            "Malformed body: a call dropped after its effect has to perform it.",
        ),
    ],
)
def test_a_malformed_script_is_refused_in_one_sentence(
    seedream: Control, rule: dict[str, Any], sentence: str
) -> None:
    answer = seedream.post("script", rule)
    assert (answer.status_code, answer.json()) == (422, {"detail": sentence})
    assert seedream.get("script") == []


def test_a_body_that_is_no_json_is_refused_and_an_unknown_call_is_not_found(
    seedream: Control,
) -> None:
    assert HTTP.post(f"{seedream.url}/_twin/script", content=b"{").status_code == 422
    assert seedream.post("nothing").status_code == 404


def test_a_call_dropped_before_has_no_byte_of_an_answer_and_no_effect(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(drop="before")
    assert raw_answer(seedream) == b""
    assert len(seedream.billed()) == before


def test_a_call_dropped_after_its_effect_is_billed_without_an_answer(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(drop="after_effect")
    assert raw_answer(seedream) == b""
    assert len(seedream.billed()) == before + 1


def test_a_cut_body_is_shorter_than_its_promised_length(seedream: Control) -> None:
    seedream.script(truncate_body_at=40)
    head, _, body = raw_answer(seedream).partition(b"\r\n\r\n")
    promised = next(
        int(line.split(b":")[1]) for line in head.splitlines() if b"content-length" in line.lower()
    )
    assert b" 200 " in head.splitlines()[0]
    assert (len(body), promised > 40) == (40, True)


def test_a_delayed_call_has_its_effect_although_nobody_waits(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(delay_ms=30_000)
    with pytest.raises(httpx.ReadTimeout):
        generate(seedream, timeout=0.3)
    assert len(seedream.billed()) == before + 1


def test_a_duplicated_call_is_billed_again_and_answered_once(seedream: Control) -> None:
    before = len(seedream.billed())
    seedream.script(duplicate=True)
    assert generate(seedream).json()["usage"]["generated_images"] == 1
    assert len(seedream.billed()) == before + 2


def test_the_ledger_names_the_request_and_never_the_key(seedream: Control) -> None:
    generate(seedream, path="/images/generations")
    item = seedream.get("ledger")[-1]
    assert item["kind"] == "image_billed"
    assert item["request"] == {"method": "POST", "path": PATH, "query": {}, "body": BODY}
    assert item["at"].endswith("Z")
    assert KEY not in json.dumps(seedream.get("ledger"))


def test_the_control_plane_answers_below_the_base_path_too(seedream: Control) -> None:
    assert Control(f"{seedream.url}/api/v3").get("script") == []


def test_ledger_and_clock_survive_kill_9_and_scripts_do_not(own_process: TwinProcess) -> None:
    twin = own_process.control("seedream")
    now = twin.post("clock", {"advance_s": 86_400}).json()["now"]
    generate(twin)
    twin.script(response={"status": 500})
    ledger = twin.get("ledger")
    own_process.end(signal.SIGKILL)
    file = own_process.folder / "seedream.jsonl"
    with file.open("ab") as journal:
        journal.write(b'{"id": "seedream-0000')  # as a power cut leaves it
    own_process.start()
    assert twin.get("ledger") == ledger
    assert twin.get("script") == []
    assert twin.post("clock", {"advance_s": 0}).json()["now"] > now
    generate(twin)
    assert [item["id"] for item in twin.get("ledger")] == ["seedream-000001", "seedream-000002"]
    assert len(file.read_text().splitlines()) == 2


def test_sigterm_ends_the_process_in_order(own_process: TwinProcess) -> None:
    assert own_process.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    own_process.start()


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        ("{", "The setting MEGA_TWIN_PORTS is malformed: it is not JSON."),
        ("[]", "The setting MEGA_TWIN_PORTS is malformed: it is no object of ports."),
        ('{"acme": 1}', "The setting MEGA_TWIN_PORTS names 'acme', which is no twin."),
        ('{"openai": "x"}', "The setting MEGA_TWIN_PORTS has no port number for openai."),
    ],
)
def test_malformed_ports_stop_the_process_with_one_sentence(ports: str, sentence: str) -> None:
    ended = subprocess.run(
        (sys.executable, "-m", "embedded.twins"),
        env={"MEGA_TWIN_PORTS": ports, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr.strip()) == (1, sentence)
