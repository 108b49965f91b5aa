# ruff: noqa: T201
"""Recomputes the hash chain of a ledger from a dump, with nothing but Python.

docs/ledger.md has the command that makes the dump and the form that is hashed. Then:

    python verify_dump.py dump.csv [HEAD]

HEAD is a hash (64 hex digits) that the ledger is known to have had: a cut tail is found with it.
Ends with 0 when every row holds, else with 1.
"""

import csv
import sys
from hashlib import sha256

START = bytes(32)


def main(path: str, head: str = START.hex()) -> int:
    csv.field_size_limit(2**31 - 1)
    position, previous, head_seen = 0, START, head == START.hex()
    with open(path, encoding="utf-8", newline="") as dump:
        for *fields, stored in csv.reader(dump):
            expected = sha256(previous + "\n".join(fields).encode()).hexdigest()
            if fields[0] != str(position + 1) or stored != expected:
                print(f"broken at position {position + 1}: row {fields[0]} does not follow")
                return 1
            position, previous = position + 1, bytes.fromhex(stored)
            head_seen = head_seen or stored == head
    if not head_seen:
        print(f"cut: {head} is not among the {position} rows")
        return 1
    print(f"{position} rows hold, head {previous.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
