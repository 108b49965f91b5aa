"""The corpus: for every topic, data as the ledger has it, and the event it must read as, for ever.

`python -m tests.ledger.golden` writes a file for each event type that has none yet. A file that is
there is never written again: events in ledgers do not change, so neither do these.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import domain
from domain.event import Event, event_types
from ledger import codec

FOLDER = Path(__file__).parent.parent / "golden"


def known_events() -> dict[str, type[Event]]:
    """Every event of the product by topic; those that only tests know are left out."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    return {
        topic: cls for topic, cls in event_types().items() if cls.__module__.startswith("domain.")
    }


def corpus() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Topic, data, and what it must read as: `type`, and the `repr` of each field."""
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text()):
            yield path.stem, json.dumps(case["data"]), case["reads_as"]


def shown(event: Event, names: Iterable[str]) -> dict[str, Any]:
    fields = {name: repr(getattr(event, name)) for name in names}
    return {"type": type(event).__name__, "fields": fields}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for topic, cls in known_events().items():
        path = FOLDER / f"{topic}.json"
        if not path.exists():
            path.write_text(json.dumps(_cases(topic, cls), indent=2, ensure_ascii=False) + "\n")
    return 0


def _cases(topic: str, cls: type[Event]) -> list[dict[str, Any]]:
    """The event with everything in it, and without what may be missing."""
    every = get_type_hints(cls, include_extras=True)
    hints = {field.name: every[field.name] for field in fields(cls)}
    full = {name: _sample(name, hint) for name, hint in hints.items()}
    bare = {name: None if _optional(hint) else full[name] for name, hint in hints.items()}
    return [
        {"data": data, "reads_as": shown(codec.decode_data(topic, json.dumps(data), str), data)}
        for data in ([full] if bare == full else [full, bare])
    ]


def _optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _sample(name: str, hint: Any) -> Any:
    if get_origin(hint) is Annotated or _optional(hint):
        return _sample(name, get_args(hint)[0])
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) is tuple:
        return [_sample(name, get_args(hint)[0])]
    if get_origin(hint) in (dict, Mapping):
        return {"lot": 7} if get_args(hint)[1] is int else {"asset": "PFP", "delta": 7}
    if is_dataclass(hint):
        return {each: _sample(each, of) for each, of in get_type_hints(hint).items()}
    if hint is datetime:
        return "2026-11-21T12:00:00.123456Z"
    return {str: f"{name} ünï", int: 7, bool: True, Any: [{name: "1"}]}[hint]


if __name__ == "__main__":
    sys.exit(main())
