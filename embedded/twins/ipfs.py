"""IPFS: the RPC APIs of two kubo nodes and a gateway under one address; spec `providers.md` §7.

The second node is below `/backup`, so that a script whose path is `/api/*` takes the first one down
and leaves the second. Each keeps what was added to it; the gateway at `/ipfs/{cid}` finds what any
node has, as the network does, that at `/backup/ipfs/{cid}` what the second has.

Read in a source (kubo's reference and its command line): `POST /api/v0/add` with multipart, its
parameters and their defaults, the answer as a line of JSON `{Name, Hash, Size}` for each file with
`Size` as text, `POST /api/v0/cat?arg=CID`, and that GET is 405. The CID of a file is the real one,
of version 1 with raw leaves (`consumers/gateways/cid.py`), which is all that this twin makes: other
parameters are 400, where kubo would take them.

From memory: the form of errors `{Message, Code, Type}`, `/ipfs/{cid}` with its headers, that the
content type is guessed from the content, and the words of `cat` for what the node itself has not
(it never asks the network, as with `offline=true`). `Size` should be that of all blocks and is the
file's.

Effect kind: `file_pinned` {node, cid, bytes, content_type}, `node` being `first` or `backup`, at
every `add` that pins, because kubo pins what it has already once more without a word. What is
stored is never forgotten.
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
FIRST, BACKUP = "first", "backup"
PNG, JPEG, SVG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg "


class Ipfs:
    """`POST /api/v0/add`, `POST /api/v0/cat`, `GET /ipfs/{cid}`, and the same below `/backup`."""

    name = "ipfs"
    base_path = ""

    def __init__(self) -> None:
        self._shelf = Shelf()

    async def answer(self, call: Call) -> Answer:
        node, path = FIRST, call.path.strip("/").split("/")
        if path[0] == BACKUP:
            node, path = BACKUP, path[1:]
        match call.method, path:
            case "POST", ["api", "v0", "add"]:
                return self._add(call, node)
            case "POST", ["api", "v0", "cat"]:
                return self._cat(call, node)
            case _, ["api", "v0", *_]:
                status = 404 if call.method == "POST" else 405
                words = "404 page not found" if status == 404 else "405 - Method Not Allowed"
                return Answer(status, words.encode(), {"content-type": "text/plain"})
            case "GET", ["ipfs", cid] if CID.fullmatch(cid):
                return self._serve(call, node, cid)
        return Answer(404, b"404 page not found", {"content-type": "text/plain"})

    def _add(self, call: Call, node: str) -> Answer:
        for name, value in ONLY.items():
            # Raw leaves follow from version 1, and the chunker is kubo's own by default.
            if call.query.get(name, "" if name == "cid-version" else value) != value:
                return _error(400, f"this twin knows {name}={value} only")
        files = list(parts(call.headers.get("content-type", ""), call.body))
        if not files:
            return _error(400, "file argument 'path' is required")
        return Answer(
            200,
            b"".join(self._added(call, node, name, content) for name, content in files),
            {"content-type": "application/json"},
        )

    def _added(self, call: Call, node: str, name: str, content: bytes) -> bytes:
        cid = cid_of(content)
        if call.performs and call.query.get("only-hash") != "true":
            self._shelf.keep(call.journal, _file(node, cid), content)
            if call.query.get("pin", "true") == "true":
                kind = content_type(content)
                size = len(content)
                call.record("file_pinned", node=node, cid=cid, bytes=size, content_type=kind)
        said = {"Name": name or cid, "Hash": cid, "Size": str(len(content))}
        return json.dumps(said).encode() + b"\n"

    def _cat(self, call: Call, node: str) -> Answer:
        cid = call.query.get("arg", "")
        if not CID.fullmatch(cid):
            return _error(400, f"invalid path {cid!r}")
        content = self._found(call, cid, node)
        if content is None:
            return _error(500, f"block was not found locally (offline): ipld: could not find {cid}")
        return Answer(200, content, {"content-type": "text/plain"})

    def _found(self, call: Call, cid: str, *nodes: str) -> bytes | None:
        kept = (self._shelf.find(call.journal, _file(node, cid)) for node in nodes)
        return next((content for content in kept if content is not None), None)

    def _serve(self, call: Call, node: str, cid: str) -> Answer:
        content = self._found(call, cid, *((FIRST, BACKUP) if node == FIRST else (BACKUP,)))
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
    if content.startswith(SVG):
        return "image/svg+xml"
    try:
        json.loads(content)
    except ValueError:
        return "application/octet-stream"
    return "application/json"


def _file(node: str, cid: str) -> str:
    return cid if node == FIRST else f"{node}-{cid}"


def _header(text: str) -> Message:
    message = Message()
    message["content-type"] = text
    return message


def _error(status: int, words: str) -> Answer:
    return Answer.json(status, {"Message": words, "Code": 0, "Type": "error"})
