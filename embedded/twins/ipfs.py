"""IPFS: the RPC API of a kubo node and its gateway under one address; spec `providers.md` §7.

Read in a source (kubo's reference and its command line): `POST /api/v0/add` with multipart, its
parameters and their defaults, the answer as a line of JSON `{Name, Hash, Size}` for each file with
`Size` as text, and that GET is 405. The CID of a file is the real one, of version 1 with raw leaves
(`consumers/gateways/cid.py`), which is all that this twin makes: other parameters are 400, where
kubo would take them.

From memory: the form of errors `{Message, Code, Type}`, `/ipfs/{cid}` with its headers, that the
content type is guessed from the content. `Size` should be that of all blocks and is the file's.

Effect kind: `file_pinned` {cid, bytes, content_type}, at every `add` that pins, because kubo pins
what it has already once more without a word. What is stored is never forgotten.
"""

from __future__ import annotations

import json
import re
from email.message import Message

from consumers.gateways.cid import CHUNKER, cid_of
from embedded.twins.shelf import Shelf
from embedded.twins.wire import Answer, Call

CID = re.compile(r"b[a-z2-7]{58}")
ONLY = {"cid-version": "1", "raw-leaves": "true", "chunker": CHUNKER}
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


class Ipfs:
    """`POST /api/v0/add`, `GET /ipfs/{cid}`."""

    name = "ipfs"
    base_path = ""

    def __init__(self) -> None:
        self._shelf = Shelf()

    async def answer(self, call: Call) -> Answer:
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["api", "v0", "add"]:
                return self._add(call)
            case _, ["api", "v0", *_]:
                status = 404 if call.method == "POST" else 405
                words = "404 page not found" if status == 404 else "405 - Method Not Allowed"
                return Answer(status, words.encode(), {"content-type": "text/plain"})
            case "GET", ["ipfs", cid] if CID.fullmatch(cid):
                return self._serve(call, cid)
        return Answer(404, b"404 page not found", {"content-type": "text/plain"})

    def _add(self, call: Call) -> Answer:
        for name, value in ONLY.items():
            # Raw leaves follow from version 1, and the chunker is kubo's own by default.
            if call.query.get(name, "" if name == "cid-version" else value) != value:
                return _error(400, f"this twin knows {name}={value} only")
        files = list(parts(call.headers.get("content-type", ""), call.body))
        if not files:
            return _error(400, "file argument 'path' is required")
        return Answer(
            200,
            b"".join(self._added(call, name, content) for name, content in files),
            {"content-type": "application/json"},
        )

    def _added(self, call: Call, name: str, content: bytes) -> bytes:
        cid = cid_of(content)
        if call.performs and call.query.get("only-hash") != "true":
            self._shelf.keep(call.journal, cid, content)
            if call.query.get("pin", "true") == "true":
                kind = content_type(content)
                call.record("file_pinned", cid=cid, bytes=len(content), content_type=kind)
        said = {"Name": name or cid, "Hash": cid, "Size": str(len(content))}
        return json.dumps(said).encode() + b"\n"

    def _serve(self, call: Call, cid: str) -> Answer:
        content = self._shelf.find(call.journal, cid)
        if content is None:
            return Answer(404, b"404 page not found", {"content-type": "text/plain"})
        headers = {
            "content-type": content_type(content),
            "etag": f'"{cid}"',
            "cache-control": "public, max-age=29030400, immutable",
            "access-control-allow-origin": "*",
        }
        return Answer(200, content, headers)


def parts(header: str, body: bytes) -> list[tuple[str, bytes]]:
    """File name and content of every part of a multipart body; empty when it is none."""
    boundary = _header(header).get_param("boundary")
    if not isinstance(boundary, str) or not header.startswith("multipart/"):
        return []
    found = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        named = {name.strip().lower(): text.strip().decode() for name, _, text in lines}
        name = _header(named.get(b"content-disposition", "")).get_param("filename")
        found.append((name if isinstance(name, str) else "", content))
    return found


def content_type(content: bytes) -> str:
    if content.startswith(PNG):
        return "image/png"
    if content.startswith(JPEG):
        return "image/jpeg"
    try:
        json.loads(content)
    except ValueError:
        return "application/octet-stream"
    return "application/json"


def _header(text: str) -> Message:
    message = Message()
    message["content-type"] = text
    return message


def _error(status: int, words: str) -> Answer:
    return Answer.json(status, {"Message": words, "Code": 0, "Type": "error"})
