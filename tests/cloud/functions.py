"""Functions as Lambda runs them: each environment a process of its own, started cold, kept warm, killed
when late.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from tests.cloud.process import ACCOUNT, REGION
from tests.cloud.runtime_api import Invocation, Result, RuntimeApi

LAUNCHER = Path(__file__).with_name("launcher.py")
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
LATE = Result(b'{"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}', "Sandbox.Timedout")
DIED = Result(b'{"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited"}', "Runtime.ExitError")


def python_3_11() -> str | None:
    """The interpreter that Lambda runs, without this checkout's packages."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    return sys.executable if here == "3.11" else shutil.which("python3.11")


def runtime_client(folder: Path) -> Path:
    """AWS's runtime client alone in a folder, as Lambda's image has it."""
    for name in RUNTIME_CLIENT:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    return folder


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    return folder


@dataclass
class Code:
    """What a function runs: the unpacked zip, AWS's client beside it, and the handler's name."""

    task: Path
    client: Path
    handler: str


@dataclass
class Settings:
    """A function as it was declared."""

    name: str
    role: str
    timeout: float
    memory: int
    environment: dict[str, str]
    """What the program declares for it; nothing else of this machine's environment reaches it."""


class Environment:
    """One execution environment: a process and its runtime API."""

    def __init__(self, code: Code, settings: Settings, credentials: dict[str, str], endpoint: str) -> None:
        self.settings = settings
        self.lines: list[str] = []
        self.api = RuntimeApi(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{settings.name}")
        command = [python_3_11() or "python3.11", "-I", "-S", "-u", str(LAUNCHER)]
        self.process = subprocess.Popen(
            [*command, str(code.task), str(code.client), code.handler],
            env=self.variables(code, credentials, endpoint),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.reader = Thread(target=self.read, daemon=True)
        self.reader.start()

    def variables(self, code: Code, credentials: dict[str, str], endpoint: str) -> dict[str, str]:
        """The variables that Lambda documents, the declared ones, and where the local cloud is."""
        name, memory = self.settings.name, str(self.settings.memory)
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": code.handler,
            "LAMBDA_TASK_ROOT": str(code.task),
            "LAMBDA_RUNTIME_DIR": str(code.client),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": credentials["aws_secret_access_key"],
            "AWS_SESSION_TOKEN": credentials["aws_session_token"],
            "AWS_ENDPOINT_URL": endpoint,
            **self.settings.environment,
        }

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def invoke(self, payload: bytes) -> Result:
        """Run one event; a process that is late or gone is not used again."""
        invocation = Invocation(payload, time.time() + self.settings.timeout)
        self.api.waiting.put(invocation)
        while True:
            try:
                return invocation.done.get(timeout=0.05)
            except Exception:  # noqa: BLE001  queue.Empty, and nothing else comes out of there
                if self.api.init_error is not None:
                    self.kill()
                    return self.api.init_error
                if self.process.poll() is not None:
                    return DIED
                if time.time() > invocation.deadline:
                    self.kill()
                    return LATE

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        self.api.close()
        if self.alive:
            self.kill()
        self.reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass
class Function:
    """A function: as many environments as run at once, and what they did."""

    code: Code
    settings: Settings
    credentials: dict[str, str]
    endpoint: str
    after: Any = None
    """Called with (function, environment's new lines, result, seconds) after every invocation."""
    idle: list[Environment] = field(default_factory=list)
    busy: list[Environment] = field(default_factory=list)
    cold_starts: list[float] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def invoke(self, event: Any) -> Result:
        """Run an event in a warm environment, or in a new one where all are busy."""
        environment = self.take()
        before, began = len(environment.lines), time.monotonic()
        result = environment.invoke(event if isinstance(event, bytes) else json.dumps(event).encode())
        seconds = time.monotonic() - began
        with self.lock:
            self.busy.remove(environment)
            if environment.alive and result is not LATE:
                self.idle.append(environment)
        if environment.api.ready_after is not None and environment.api.ready_after not in self.cold_starts:
            self.cold_starts.append(environment.api.ready_after)
        if not environment.alive:
            environment.close()
        if self.after is not None:
            self.after(self, environment.lines[before:], result, seconds)
        return result

    def take(self) -> Environment:
        with self.lock:
            while self.idle:
                environment = self.idle.pop()
                if environment.alive:
                    self.busy.append(environment)
                    return environment
                environment.close()
            environment = Environment(self.code, self.settings, self.credentials, self.endpoint)
            self.busy.append(environment)
            return environment

    def kill_busy(self) -> int:
        """Kill every environment that is in the middle of an event; returns how many."""
        with self.lock:
            victims = list(self.busy)
        for environment in victims:
            environment.kill()
        return len(victims)

    def go_cold(self) -> None:
        """Close the environments that wait, as Lambda does after a deployment or a while."""
        with self.lock:
            resting, self.idle = self.idle, []
        for environment in resting:
            environment.close()

    def close(self) -> None:
        self.kill_busy()
        self.go_cold()
