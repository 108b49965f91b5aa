"""Request templates of providers: JSON with a few marked objects in it. `docs/providers.md`.

    {"$": "prompt"}                      what the reference names; left out when there is nothing
    {"$": "settings.duration", "as": "text"}          as text or as integer
    {"$": "settings.aspect_ratio", "map": {"1:1": "1024x1024"}}     left out when not in the map
    {"$": "images.end_image", "then": "pro"}          this instead, when the reference is there
    {"$first": [...]}                    the first that is there
    {"$list": [...]}                     all that are there as one flat list; left out when empty
    {"$allowed": {...}}                  only the members that `parameters` of the defaults names

Everything else stands for itself. A template reaches nothing but the references.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_DEPTH = 12
MARKS = frozenset({"$", "$first", "$list", "$allowed"})
PARAMETERS = "defaults.parameters"
IMAGES = ("product", "logo", "inspirations", "previous", "image", "end_image")

_name = r"[a-z][a-z0-9_]{0,39}"
_reference = re.compile(
    rf"prompt|model|reference|callback_url|images\.({'|'.join(IMAGES)})|(settings|defaults)\.{_name}"
)
_default = re.compile(rf"defaults\.{_name}")


class _Absent:
    """There is no such value; never None, which a template may mean."""


ABSENT: Final = _Absent()

Values = Mapping[str, Any]
"""What references stand for, by their whole names: `prompt`, `settings.duration` and so on."""


def check_template(template: Any, depth: int = 0) -> None:
    """ValueError says what is wrong."""
    if depth > MAX_DEPTH:
        raise ValueError(f"a template is at most {MAX_DEPTH} levels deep")
    if isinstance(template, list):
        for element in template:
            check_template(element, depth + 1)
    elif isinstance(template, dict):
        if marked := [name for name in template if name.startswith("$")]:
            _check_marked(marked[0], template)
        inner = template.values() if "$" not in template else ()
        for value in inner:
            check_template(value, depth + 1)


def render(template: Any, values: Values) -> Any:
    """The JSON that a checked template makes of the values, ABSENT for nothing.

    ValueError: a value cannot be what the template wants it to be.
    """
    match template:
        case {"$": str(name)}:
            return _reference_value(name, template, values)
        case {"$first": choices}:
            rendered = (render(choice, values) for choice in choices)
            return next((value for value in rendered if value is not ABSENT), ABSENT)
        case {"$list": parts}:
            return [*_flat(render(part, values) for part in parts)] or ABSENT
        case {"$allowed": members}:
            allowed = values.get(PARAMETERS, members)
            return render({name: members[name] for name in members if name in allowed}, values)
        case dict():
            rendered_members = {name: render(inner, values) for name, inner in template.items()}
            return {name: value for name, value in rendered_members.items() if value is not ABSENT}
        case list():
            rendered = (render(inner, values) for inner in template)
            return [value for value in rendered if value is not ABSENT]
    return template


def _check_marked(mark: str, template: dict[str, Any]) -> None:
    if mark not in MARKS:
        raise ValueError(f"a template has no {mark[:20]}")
    inner = template[mark]
    if mark == "$":
        _check_reference(inner, {name: template[name] for name in template if name != "$"})
    elif len(template) > 1:
        raise ValueError(f"nothing stands beside {mark}")
    elif mark == "$allowed" and not isinstance(inner, dict):
        raise ValueError("$allowed holds an object")
    elif mark in ("$first", "$list") and not isinstance(inner, list):
        raise ValueError(f"{mark} holds a list")


def _check_reference(name: Any, changes: dict[str, Any]) -> None:
    if not isinstance(name, str) or not _reference.fullmatch(name):
        raise ValueError(f"there is no reference {str(name)[:60]!r}")
    if len(changes) > 1 or not set(changes) <= {"as", "map", "then"}:
        raise ValueError(f"beside a reference stands one of as, map and then, at {name}")
    if changes.get("as", "text") not in ("text", "integer"):
        raise ValueError(f"as is text or integer, at {name}")
    map_ = changes.get("map", {})
    by_name = isinstance(map_, str) and _default.fullmatch(map_)
    if not by_name and not isinstance(map_, dict):
        raise ValueError(f"map is an object or the name of a default, at {name}")


def _reference_value(name: str, changes: Mapping[str, Any], values: Values) -> Any:
    value = values.get(name)
    if value is None or value == "" or value == ():
        return ABSENT
    match changes:
        case {"then": instead}:
            return instead
        case {"map": map_}:
            known = values.get(map_, {}) if isinstance(map_, str) else map_
            return known.get(_text(name, value), ABSENT) if isinstance(known, dict) else ABSENT
        case {"as": "text"}:
            return _text(name, value)
        case {"as": "integer"}:
            return _integer(name, value)
    return list(value) if isinstance(value, tuple) else value


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{name} is neither text nor an integer")
    return str(value)


def _integer(name: str, value: Any) -> int:
    text = _text(name, value)
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise ValueError(f"{name} is no integer")
    return int(text)


def _flat(values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from value
        elif value is not ABSENT:
            yield value
