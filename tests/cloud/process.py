"""Starts the local cloud's process, and makes the clients that reach it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

REGION, ACCOUNT = "eu-west-1", "123456789012"
ROOT = Path(__file__).parents[2]

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass
class Moto:
    """moto in its own process, and an operator who may do everything in it."""

    process: subprocess.Popen[str]
    endpoint: str
    credentials: dict[str, str] = field(default_factory=dict)
    session: Any = field(default_factory=boto3.session.Session)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A boto3 client of the operator, or of somebody else's credentials."""
        chosen = credentials or self.credentials
        place = (service, chosen["aws_access_key_id"])
        with self.lock:
            if place not in self.clients:
                settings = Config(retries={"max_attempts": 2, "mode": "standard"}, max_pool_connections=32)
                self.clients[place] = self.session.client(
                    service, REGION, endpoint_url=self.endpoint, config=settings, **chosen
                )
            return self.clients[place]

    def ask(self, path: str, content: Any = None) -> Any:
        """A request to the door itself (counts, faults) or to moto's own pages."""
        data = (
            None
            if content is None
            else content
            if isinstance(content, bytes)
            else json.dumps(content).encode()
        )
        plain = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{self.endpoint}/{path}", data, plain)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or b"null")

    def counts(self, *, reset: bool = False) -> dict[tuple[str, str, str, str], int]:
        """Requests by (role, service, action, what)."""
        rows = self.ask("local-cloud/counts", b"" if reset else None)
        return {(who, service, action, what): number for who, service, action, what, number in rows}

    def fail(self, *faults: dict[str, Any]) -> None:
        """Requests of these kinds fail from now on, as `door` says; none where none are given."""
        self.ask("local-cloud/faults", list(faults))

    def struck(self) -> list[dict[str, str]]:
        """The requests that were made to fail."""
        found: list[dict[str, str]] = self.ask("local-cloud/struck")
        return found

    def enforce(self) -> None:
        """From now on every request needs a valid signature and a permission."""
        self.ask("moto-api/reset-auth", b"0")

    def environment(self) -> dict[str, str]:
        """What brings boto3 and the command line here as the operator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.credentials["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["aws_secret_access_key"],
        }

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        for client in self.clients.values():
            client.close()


def start(functions: str, log: Path) -> Moto:
    """A moto that hands invocations over to the address given; permissions are not enforced yet."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.cloud.server", functions],
            cwd=ROOT, env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert port, log.read_text()
    moto = Moto(process, f"http://127.0.0.1:{port}")
    anybody = {"aws_access_key_id": "AKIAANYBODY", "aws_secret_access_key": "anybody"}
    moto.credentials = anybody
    users = moto.client("iam")
    users.create_user(UserName="operator")
    users.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    key = users.create_access_key(UserName="operator")["AccessKey"]
    moto.credentials = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    return moto
