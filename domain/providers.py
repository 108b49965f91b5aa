"""Makers of stills and videos as data: the rows of config `mma.provider.registry`, and the config
`mma.provider.<name>.defaults` of each. Spec `contract.md` §7, format `docs/providers.md`.

A row says how to ask and how to read the answers; nothing in it is code, and it holds no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from domain.provider_answer import Errors, Pointers, Status, Strict
from domain.provider_template import Values, check_template, render

REGISTRY_KEY = "mma.provider.registry"
PROVIDERS_MAX = 50
PARAMETERS_MAX = 100

Shape = Literal["sync_json", "async_poll", "async_webhook"]
Media = Literal["still", "video"]

SETTING = "setting:"
URL_SETTINGS = ("SEEDREAM_URL", "REPLICATE_URL", "KLING_URL", "OPENAI_URL")
NAME = r"^[a-z][a-z0-9_]{0,39}$"

_header = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# What frames a request is not for a row to say.
_FRAMES = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
_model = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


def defaults_key(name: str) -> str:
    return f"mma.provider.{name}.defaults"


def _base_url(value: str) -> str:
    if value.startswith(SETTING):
        if value.removeprefix(SETTING) not in URL_SETTINGS:
            raise ValueError(f"must name one of {', '.join(URL_SETTINGS)}")
        return value
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or "@" in parts.netloc or "\\" in value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("must be a plain http or https URL, or setting:NAME_URL")
    return value.rstrip("/")


def _template(value: Any) -> Any:
    check_template(value)
    return value


def _path(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~:/?=&{}%-]{0,300}", value) or ".." in value:
        raise ValueError("must be a path as /v1/images")
    named = set(re.findall(r"\{([^}]*)\}", value))
    if not named <= {"model", "task_id", "reference"} or value.count("{") != value.count("}"):
        raise ValueError("may name {model}, {task_id} and {reference}")
    return value


def _header_name(value: str) -> str:
    if not _header.fullmatch(value) or value.lower() in _FRAMES:
        raise ValueError(f"no header of a row is called {value[:40]!r}")
    return value


Path = Annotated[str, AfterValidator(_path)]
Template = Annotated[Any, AfterValidator(_template)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
KeyName = Annotated[str, Field(pattern=NAME)]


class Bearer(Strict):
    type: Literal["bearer"]
    key: KeyName


class Header(Strict):
    """A key in a header of its own, as `Key SECRET` with the prefix "Key "."""

    type: Literal["header"]
    name: HeaderName
    key: KeyName
    prefix: str = Field(default="", pattern=r"^[ -~]{0,30}$")


class KlingJwt(Strict):
    type: Literal["kling_jwt"]


class NoAuth(Strict):
    type: Literal["none"]


Auth = Annotated[Bearer | Header | KlingJwt | NoAuth, Field(discriminator="type")]


class Request(Strict):
    """Templates of the JSON body and of further headers; `provider_template.py`."""

    body: Template
    headers: dict[HeaderName, Template] = Field(default={}, max_length=20)

    @model_validator(mode="after")
    def _is_an_object(self) -> Self:
        if not isinstance(self.body, dict):
            raise ValueError("the body must be an object")
        return self


class Response(Strict):
    """Where the outputs stand (`outputs`: URLs, `base64`: files), in the answer of a synchronous
    provider, in that to `poll` else. `facts` are kept in the step, by our names for them."""

    outputs: Pointers = Field(default=[])
    base64: Pointers = Field(default=[])
    facts: dict[str, Pointers] = Field(default={}, max_length=20)
    task: Pointers = Field(default=[])
    status: Status | None = None
    poll: Path | None = None
    find: Path | None = None


class ProviderRow(Strict):
    name: str = Field(pattern=NAME)
    shape: Shape
    base_url: Annotated[str, AfterValidator(_base_url)]
    path: Path
    auth: Auth
    request: Request
    response: Response
    errors: Errors = Errors()
    media: Media

    @property
    def asynchronous(self) -> bool:
        return self.shape != "sync_json"

    @property
    def recoverable(self) -> bool:
        return self.response.find is not None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        response = self.response
        if not (response.outputs or response.base64):
            raise ValueError("response needs outputs or base64")
        if self.asynchronous and not (response.task and response.status and response.poll):
            raise ValueError(f"response of {self.shape} needs task, status and poll")
        if not self.asynchronous and (response.task or response.poll or response.find):
            raise ValueError("response of sync_json has no task, poll or find")
        if response.poll and "{task_id}" not in response.poll:
            raise ValueError("response.poll needs {task_id}")
        if response.find and "{reference}" not in response.find:
            raise ValueError("response.find needs {reference}")
        return self

    def body(self, values: Values) -> dict[str, Any]:
        """ValueError when the values do not fit the template."""
        rendered = render(self.request.body, values)
        if not isinstance(rendered, dict):
            raise ValueError("the request has no body")
        return rendered

    def headers(self, values: Values) -> dict[str, str]:
        """Of the request, without those of `auth`. ValueError as above."""
        rendered = {
            name: str(value).strip(" ")
            for name, value in render(self.request.headers, values).items()
        }
        for name, value in rendered.items():
            if not re.fullmatch(r"[ -~]*", value):
                raise ValueError(f"the header {name} cannot carry what the request has for it")
        return rendered


_row: TypeAdapter[ProviderRow] = TypeAdapter(ProviderRow)


def row_of(value: Any) -> ProviderRow:
    """ValueError says what is wrong with a row."""
    try:
        return _row.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise ValueError(f"{where}: {reason}" if where else reason) from None


def registry_of(value: Any) -> tuple[ProviderRow, ...]:
    """The rows in a config value. ValueError says what is wrong with it."""
    if not isinstance(value, list) or not 1 <= len(value) <= PROVIDERS_MAX:
        raise ValueError(f"must be a list of 1 to {PROVIDERS_MAX} providers")
    rows: dict[str, ProviderRow] = {}
    for number, item in enumerate(value, 1):
        try:
            row = row_of(item)
        except ValueError as wrong:
            raise ValueError(f"has a malformed provider {number} ({wrong})") from None
        if row.name in rows:
            raise ValueError(f"has two providers called {row.name}")
        rows[row.name] = row
    return tuple(rows.values())


def defaults_of(value: Any) -> Mapping[str, Any]:
    """The defaults in a config value: `model`, perhaps `parameters` (the names of all parameters
    that the model takes), and whatever the row's template asks for. ValueError for others."""
    if not isinstance(value, dict) or len(value) > PARAMETERS_MAX:
        raise ValueError("must be an object with the model and its parameters")
    if not isinstance(value.get("model"), str) or not _model.fullmatch(value["model"]):
        raise ValueError("must name a model")
    if ".." in value["model"] or "//" in value["model"]:
        raise ValueError("must name a model")
    parameters = value.get("parameters", [])
    if not isinstance(parameters, list) or not all(isinstance(name, str) for name in parameters):
        raise ValueError("must have a list of names as parameters")
    for name, inner in value.items():
        if not re.fullmatch(NAME, name):
            raise ValueError(f"has the name {name[:40]!r}, which no reference can have")
        scalars = inner.values() if isinstance(inner, dict) else [inner]
        if name != "parameters" and not all(isinstance(one, str | int | float) for one in scalars):
            raise ValueError(f"has {name}, which is neither a plain value nor an object of those")
    return value
