"""Named SQL: `-- name --` opens a statement in a .sql file; it runs to the next one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast


@cache
def named_statements(path: Path) -> dict[str, LiteralString]:
    """The statements of a file by name. They are files of ours, so they count as literals."""
    parts = re.split(r"^-- (\w+) --$", path.read_text(), flags=re.MULTILINE)
    return {
        name: cast(LiteralString, text.strip())
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }
