"""Makers of stills and videos, each a row of config: one gateway for all of them.

What a vendor is like stands in its row (`domain/provider_registry.py` has those of the product,
`docs/providers.md` the format). Here is only what all have in common: one call each, what its end
means, and which hosts may be asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from consumers.gateways.media_answers import Reading, content_type_of, is_task_id
from consumers.gateways.media_auth import KLING_ACCESS, KLING_SECRET, Proof, key_names, proof_of
from consumers.gateways.mma_ports import Made, MediaProvider, MediaWanted, Submitted
from consumers.gateways.pictures import decode_picture
from consumers.gateways.ports import OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.web import Reply, get_once, post_once
from domain.providers import SETTING, ProviderRow, defaults_of, row_of

# Where each of the product's own keys may go, whatever a row says: to the vendor that gave it.
HOMES = {
    "seedream": "SEEDREAM_URL",
    "replicate": "REPLICATE_URL",
    "openai": "OPENAI_URL",
    KLING_ACCESS: "KLING_URL",
    KLING_SECRET: "KLING_URL",
}
MAKES_WITHIN_S = 180.0
ANSWERS_WITHIN_S = 30.0


class ConfiguredProviders:
    """`MediaProviders`. `urls` are the settings that a base URL may name, `keys` the secrets by the
    names in `auth`, `hosts` the entries of MEGA_PROVIDER_HOSTS (`host` or `host:port`, exact)."""

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        urls: Mapping[str, str],
        keys: Mapping[str, str],
        hosts: frozenset[str],
    ) -> None:
        self._client = client
        self._urls = urls
        self._keys = keys
        self._hosts = hosts
        self._proofs: dict[str, Proof] = {}

    def of(self, row: Mapping[str, Any], defaults: Mapping[str, Any]) -> MediaProvider:
        try:
            read, known = row_of(row), defaults_of(defaults)
        except ValueError as wrong:
            raise WillNotWork(f"{str(row.get('name'))[:40]}: the config {wrong}") from None
        base_url = self._base_url(read)
        self._expect_home(read, base_url)
        own = self._hosts | {httpx.URL(base_url).netloc.decode()}
        return ConfiguredProvider(
            read, known, base_url=base_url, proof=self._proof(read), client=self._client, hosts=own
        )

    def _base_url(self, row: ProviderRow) -> str:
        """Of a setting, which is its own permission, or a URL on a host that is allowed."""
        if row.base_url.startswith(SETTING):
            setting = row.base_url.removeprefix(SETTING)
            if url := self._urls.get(setting):
                return url
            raise WillNotWork(f"{row.name}: the setting {setting} is missing")
        if not allowed(row.base_url, self._hosts):
            raise WillNotWork(f"{row.name}: the host is not in MEGA_PROVIDER_HOSTS")
        return row.base_url

    def _expect_home(self, row: ProviderRow, base_url: str) -> None:
        """Who may set config may not have a vendor's key told to another host."""
        for name in key_names(row.auth):
            home = self._urls.get(HOMES[name], "") if name in HOMES else base_url
            if _origin(home) != _origin(base_url):
                raise WillNotWork(f"{row.name}: the key {name} is not for this host")

    def _proof(self, row: ProviderRow) -> Proof:
        """Kept, because what one has learned of the vendor's clock is good for the next call."""
        name = f"{row.name} {row.auth!r}"
        if name not in self._proofs:
            try:
                self._proofs[name] = proof_of(row.auth, row.name, self._keys)
            except ValueError as malformed:
                raise WillNotWork(str(malformed)) from None
        return self._proofs[name]


class ConfiguredProvider:
    """`MediaProvider`, by a row and its defaults."""

    def __init__(
        self,
        row: ProviderRow,
        defaults: Mapping[str, Any],
        *,
        base_url: str,
        proof: Proof,
        client: httpx.AsyncClient,
        hosts: frozenset[str],
    ) -> None:
        self.name = row.name
        self.model = str(defaults["model"])
        self.asynchronous = row.asynchronous
        self.recoverable = row.recoverable
        self._row = row
        self._defaults = defaults
        self._base_url = base_url
        self._proof = proof
        self._client = client
        self._hosts = hosts

    def request_of(self, wanted: MediaWanted) -> dict[str, Any]:
        parts = urlsplit(wanted.callback_url)
        told = f"{parts.scheme}://{parts.netloc}/***" if wanted.callback_url else ""
        return self._request(replace(wanted, callback_url=told))[0]

    async def start(self, wanted: MediaWanted) -> Made | Submitted:
        read = await self._post(wanted, *self._request(wanted))
        if not self.asynchronous:
            return read.made()
        task_id = read.task_id()
        if task_id is None:
            reason = f"{self.name}: the answer names no task"
            raise OutcomeUnknown(reason, reference=wanted.reference)
        return Submitted(task_id)

    async def find(self, wanted: MediaWanted) -> Submitted | None:
        if self._row.response.find is None:
            raise WillNotWork(f"{self.name}: nothing can be found by our reference")
        read = await self._get(self._row.response.find, reference=wanted.reference)
        if read.reply.status == 404:
            return None
        read.raise_unless_told()
        task_id = read.task_id()
        return Submitted(task_id) if task_id else None

    async def poll(self, task_id: str) -> Made | None:
        assert self._row.response.poll
        if not is_task_id(task_id):
            raise WillNotWork(f"{self.name}: this is no id of a task")
        read = await self._get(self._row.response.poll, task_id=task_id)
        if read.reply.status == 404:
            raise WillNotWork(f"{self.name}: the task is not known any more")
        match read.status():
            case "working":
                return None
            case "done":
                return read.result()
            case "failed":
                raise read.failed_task()
        read.raise_unless_told()
        raise TryAgain(f"{self.name}: the task is in a state without a meaning here")

    async def fetch(self, made: Made) -> tuple[bytes, str]:
        content = made.content
        if content is None:
            content = await self._download(made.urls[0])
        if self._row.media == "still":
            return content, (await decode_picture(content, vendor=self.name)).content_type
        kind = content_type_of(content)
        if kind is None:
            raise TryAgain(f"{self.name}: the video is cut, or none")
        return content, kind

    async def _download(self, url: str) -> bytes:
        if not allowed(url, self._hosts):
            raise WillNotWork(f"{self.name}: the output lies on a host that is not allowed")
        reply = await get_once(self._client, url, vendor=self.name, read_timeout_s=ANSWERS_WITHIN_S)
        if reply.status != 200:
            raise TryAgain(f"{self.name}: the output's address answers {reply.status}")
        return reply.body

    def _values(self, wanted: MediaWanted) -> dict[str, Any]:
        named = {"settings": wanted.settings, "images": wanted.images, "defaults": self._defaults}
        values = {
            f"{of}.{name}": value for of, all_ in named.items() for name, value in all_.items()
        }
        return values | {
            "prompt": wanted.prompt,
            "model": self.model,
            "reference": wanted.reference,
            "callback_url": wanted.callback_url,
        }

    def _request(self, wanted: MediaWanted) -> tuple[dict[str, Any], dict[str, str]]:
        """Body and headers."""
        if wanted.kind != self._row.media:
            raise WillNotWork(f"{self.name}: makes no {wanted.kind}")
        for name, value in wanted.settings.items():
            if not is_plain(value):
                raise WillNotWork(f"{self.name}: the setting {name[:40]} is no plain value")
        values = self._values(wanted)
        try:
            return self._row.body(values), self._row.headers(values)
        except ValueError as wrong:
            raise WillNotWork(f"{self.name}: {wrong}") from None

    async def _post(
        self, wanted: MediaWanted, body: dict[str, Any], headers: dict[str, str]
    ) -> Reading:
        url = self._url(self._row.path, model=self.model)
        within_s = ANSWERS_WITHIN_S if self.asynchronous else MAKES_WITHIN_S

        async def ask() -> Reply:
            return await post_once(
                self._client,
                url,
                body,
                headers={**headers, **self._proof.headers()},
                vendor=self.name,
                reference=wanted.reference,
                read_timeout_s=within_s,
                lookup=self.asynchronous,
            )

        read = self._read(await ask(), wanted)
        if self._proof.learns(read.reply, read.code):
            read = self._read(await ask(), wanted)
        read.raise_unless_taken(wanted.reference)
        return read

    async def _get(self, path: str, **names: str) -> Reading:
        url = self._url(path, **names)

        async def ask() -> Reply:
            return await get_once(
                self._client,
                url,
                vendor=self.name,
                read_timeout_s=ANSWERS_WITHIN_S,
                headers=self._proof.headers(),
            )

        read = self._read(await ask())
        if self._proof.learns(read.reply, read.code):
            read = self._read(await ask())
        return read

    def _read(self, reply: Reply, wanted: MediaWanted | None = None) -> Reading:
        called_back = (wanted.callback_url,) if wanted else ()
        return Reading(self._row, reply, secrets=(*self._proof.secrets, *called_back))

    def _url(self, path: str, **names: str) -> str:
        filled = path
        for name, value in names.items():
            filled = filled.replace(
                f"{{{name}}}", quote(value, safe="/" if name == "model" else "")
            )
        # A base URL that already ends with how the path begins, as …/api/v3.
        base = urlsplit(self._base_url)
        start = base.path.rstrip("/")
        shared = bool(start) and filled.startswith(f"{start}/")
        return f"{base.scheme}://{base.netloc}{'' if shared else start}{filled}"


def allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether a URL is plain http(s) and its host, or `host:port`, is exactly one of `hosts`."""
    try:
        address = httpx.URL(url)
        names = {address.host, address.netloc.decode()}
    except (httpx.InvalidURL, ValueError):  # of a name that is none in any script, a ValueError
        return False
    possible = address.port is None or address.port in range(1, 65_536)
    web = address.scheme in ("http", "https") and not address.userinfo
    return possible and web and not names.isdisjoint(hosts)


def _origin(url: str) -> tuple[str, str, int | None]:
    address = httpx.URL(url)
    return address.scheme, address.host, address.port


def is_plain(value: object) -> bool:
    """Whether JSON has it as a text, a number, true, false or null."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int | None)
