"""The functions: code from its zip, what they are told, their logs, and where lost runs go."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, lambda_

from infra.components.ground import Ground
from infra.components.ingest import Ingest
from infra.components.roles import FunctionRole
from infra.components.shapes import Shape

DIST = Path(__file__).resolve().parents[2] / "dist"

_LARGEST = 50 * 1024 * 1024

Environment = dict[str, pulumi.Input[str]]


class CodeMissing(pulumi.RunError):
    """The functions' zips have not been made."""


def packages(names: list[str], folder: Path = DIST) -> dict[str, Path]:
    """Function → zip. Raises CodeMissing with all that are missing."""
    paths = {name: folder / f"{name}.zip" for name in names}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise CodeMissing(f"There is no {', '.join(missing)} in {folder.name}/: run `make package` first")
    large = [path.name for path in paths.values() if path.stat().st_size > _LARGEST]
    if large:
        raise CodeMissing(f"Lambda takes no zip of over 50 MiB from an upload: {', '.join(large)}")
    return paths


def source_hash(path: Path) -> str:
    """What AWS calls CodeSha256: when it changes, the code is deployed."""
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


class Function(pulumi.ComponentResource):
    """One function with its role, its log group and the destination of runs that fail."""

    def __init__(
        self,
        ground: Ground,
        shape: Shape,
        code: Path,
        environment: Environment,
        ingest: Ingest,
    ) -> None:
        super().__init__("shroff:infra:Function", shape.name)
        place, settings, key = ground.place, ground.settings, ground.key
        self.shape, self.name = shape, place.name(shape.name)
        child = pulumi.ResourceOptions(parent=self)
        role = FunctionRole(place, shape.name, key.arn, child)
        log = cloudwatch.LogGroup(
            f"{shape.name}-log",
            name=place.log_group(shape.name),
            retention_in_days=settings.log_retention_days,
            kms_key_id=key.arn,
            opts=child,
        )
        self.function = lambda_.Function(
            shape.name,
            name=self.name,
            description=shape.what,
            runtime="python3.11",
            architectures=["x86_64"],
            handler=shape.handler,
            code=pulumi.FileArchive(str(code)),
            source_code_hash=source_hash(code),
            role=role.role.arn,
            memory_size=settings.memory,
            timeout=shape.timeout,
            # Minus one is AWS's word for "from what the account has left".
            reserved_concurrent_executions=settings.reserved_concurrency or -1,
            ephemeral_storage={"size": settings.report_storage if shape.storage else 512},
            environment={"variables": environment},
            kms_key_arn=key.arn,
            tracing_config={"mode": "Active"},
            logging_config={
                "log_format": "JSON",
                "log_group": log.name,
                # The function keeps to the level that it is told. Lambda would drop metrics too, with what is
                # under the level: they are lines without one, which count as INFO.
                "application_log_level": "DEBUG" if settings.log_level == "DEBUG" else "INFO",
                "system_log_level": "INFO",
            },
            # The first run already needs its permissions; a log group that Lambda made itself would have
            # neither retention nor key.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy, log]),
        )
        lambda_.FunctionEventInvokeConfig(
            shape.name,
            function_name=self.function.name,
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=3_600,
            destination_config={"on_failure": {"destination": ingest.invocation_dlq.arn}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )
        if shape.again:
            # Lambda takes the sixteenth time for a loop and drops the work. Here each time does some of it:
            # a long report goes on with what is left, a transaction on a hot entity tries once more.
            lambda_.FunctionRecursionConfig(
                shape.name, function_name=self.function.name, recursive_loop="Allow", opts=child
            )
        self.policy = role.policy
        self.arn = self.function.arn
        self.register_outputs({})
