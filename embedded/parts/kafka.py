"""Apache Kafka, one KRaft node; its jars come from `embedded/pom.xml` through Maven."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import uuid
from collections.abc import Mapping
from pathlib import Path

from embedded.parts.part import Part
from embedded.place import Place, WorldError, write_atomically
from embedded.process import Command

LOGGING = Path(__file__).with_name("kafka_log4j2.yaml")
JVM = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xlog:disable")

# ApiVersions, version 0, correlation id 1, no client id: the one request every broker answers.
_HELLO = struct.pack(">ihhih", 10, 18, 0, 1, -1)

PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""


class Kafka(Part):
    """Topics are made by those who own them, never by a stray reader (auto-creation is off).

    The session is short because a killed broker is let in again only when its last one is over.
    """

    name = "kafka"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = place.data / "kafka"
        self._jars = place.tools / "kafka" / "lib"
        self._archive = place.tools / "kafka" / "classes.jsa"
        self._properties = self._folder / "server.properties"

    def ports(self) -> tuple[str, ...]:
        return ("kafka", "kafka_controller")

    async def prepare(self) -> None:
        self._folder.mkdir(exist_ok=True)
        ports = self._place.ports
        text = PROPERTIES.format(
            broker=ports["kafka"],
            controller=ports["kafka_controller"],
            data=self._folder / "data",
        )
        write_atomically(self._properties, text)
        if not (self._folder / "data" / "meta.properties").exists():
            await self._format()

    async def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        words = (
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster}",
            "--ignore-formatted",
        )
        command = self._java(*words, "-c", str(self._properties))
        with self._place.log(self.name).open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                *command.argv, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
            )
            if await child.wait():
                raise WorldError(f"Kafka did not format; see {self._place.log(self.name)}.")

    def _java(self, *words: str, archive: tuple[str, ...] | None = None) -> Command:
        jars = sorted(str(jar) for jar in self._jars.glob("*.jar"))
        if not jars:
            raise WorldError(f"There are no Kafka jars in {self._jars}; run `make setup`.")
        if archive is None:
            archive = (f"-XX:SharedArchiveFile={self._archive}",) if self._archive.exists() else ()
        logging = f"-Dlog4j2.configurationFile={LOGGING}"
        return Command((java(), *JVM, *archive, logging, "-cp", ":".join(jars), *words))

    def command(self, env: Mapping[str, str]) -> Command:
        return self._java("kafka.Kafka", str(self._properties))

    def archiving_command(self) -> Command:
        """Like `command`, but the loaded classes are written to the archive at a clean end."""
        archive = (f"-XX:ArchiveClassesAtExit={self._archive}",)
        return self._java("kafka.Kafka", str(self._properties), archive=archive)

    async def healthy(self) -> bool:
        """The broker listens before it serves; an answered request proves that it serves."""
        try:
            async with asyncio.timeout(2):
                port = self._place.ports["kafka"]
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(_HELLO)
                    answer = await reader.readexactly(10)
                finally:
                    writer.close()
        except (OSError, EOFError, TimeoutError):
            return False
        return struct.unpack(">iih", answer)[1:] == (1, 0)

    def gives(self) -> dict[str, str]:
        return {"KAFKA_BOOTSTRAP_SERVERS": self.where()}

    def where(self) -> str:
        return f"127.0.0.1:{self._place.ports['kafka']}"


def java() -> str:
    """The Java of JAVA_HOME, else the one on the path; embedded/prerequisites.sh asks for 17."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else "java"
