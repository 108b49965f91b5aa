# ruff: noqa: T201
"""Recomputes the hash chain of a ledger from a dump, with nothing but Python.

docs/ledger.md has the commands that make dumps and the form that is hashed. Then:

    python verify_dump.py DUMP [HEAD] [--after HASH]

DUMP is CSV when it is named so, else JSON lines. HEAD is a hash (64 hex digits) that the ledger is
known to have had: a cut tail is found with it. A dump that begins later than at position 1 needs
the hash before its first row. Ends with 0 when every row holds, else with 1.
"""

import argparse
import csv
import json
import sys
from hashlib import sha256

START = bytes(32).hex()


def rows(path):
    """The fields that are hashed, position first, and at the end the hash."""
    csv.field_size_limit(2**31 - 1)
    with open(path, encoding="utf-8", newline="") as dump:
        if path.endswith(".csv"):
            yield from csv.reader(dump)
        else:
            for line in dump:
                yield [str(value) for value in json.loads(line).values()]


def main(path: str, head: str, after: str) -> int:
    count, position, previous = 0, 0, after
    head_seen = head in (START, after)
    for *fields, stored in rows(path):
        if count == 0 and after != START:
            position = int(fields[0]) - 1
        expected = sha256(bytes.fromhex(previous) + "\n".join(fields).encode()).hexdigest()
        if fields[0] != str(position + 1) or stored != expected:
            print(f"broken at position {position + 1}: row {fields[0]} does not follow")
            return 1
        count, position, previous = count + 1, position + 1, stored
        head_seen = head_seen or stored == head
    if not head_seen:
        print(f"cut: {head} is not among the {count} rows")
        return 1
    print(f"{count} rows hold, head {previous}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump")
    parser.add_argument("head", nargs="?", default=START)
    parser.add_argument("--after", metavar="HASH", default=START)
    given = parser.parse_args()
    sys.exit(main(given.dump, given.head, given.after))
