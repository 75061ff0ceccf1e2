"""The stage `prod` of the API: what is deployed, how much it takes, what it logs, and the key."""

from __future__ import annotations

import pulumi
from pulumi_aws import apigateway, cloudwatch, iam

from infra.components.api import Api
from infra.components.contract import ACCESS_LOG, STAGE, fingerprint
from infra.components.ground import Ground
from infra.components.roles import trust


class Stage(pulumi.ComponentResource):
    """Deployed anew whenever anything of the API changes."""

    def __init__(self, ground: Ground, api: Api) -> None:
        super().__init__("shroff:infra:Stage", "stage")
        place, settings = ground.place, ground.settings
        self._ground, self._api = ground, api
        self._opts = pulumi.ResourceOptions(parent=self)
        logs = [
            self._log("access", place.access_log),
            self._log("execution", self._execution_log()),
            *self._account(),
        ]
        deployment = apigateway.Deployment(
            "deployment",
            rest_api=api.api.id,
            triggers={"contract": fingerprint(settings, place.name("api-handler"))},
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*api.routes, *api.responses, api.model, api.validator]
            ),
        )
        self.stage = apigateway.Stage(
            "stage",
            rest_api=api.api.id,
            deployment=deployment.id,
            stage_name=STAGE,
            xray_tracing_enabled=True,
            access_log_settings={
                "destination_arn": place.arn("logs", f"log-group:{place.access_log}"),
                "format": ACCESS_LOG,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=logs),
        )
        apigateway.MethodSettings(
            "all",
            rest_api=api.api.id,
            stage_name=self.stage.stage_name,
            method_path="*/*",
            settings={
                "throttling_rate_limit": settings.throttle_rate,
                "throttling_burst_limit": settings.throttle_burst,
                "metrics_enabled": True,
                "logging_level": "ERROR",
                # Bodies are personal data: they are never logged.
                "data_trace_enabled": False,
            },
            opts=self._opts,
        )
        self.endpoint = pulumi.Output.format(
            "https://{0}.execute-api.{1}.{2}/{3}", api.api.id, place.region, place.domain, STAGE
        )
        self.api_key = self._with_key() if settings.auth == "key" else None
        self.register_outputs({})

    def _execution_log(self) -> pulumi.Output[str]:
        """API Gateway makes this group itself, without retention and key, unless it is there."""
        return pulumi.Output.concat("API-Gateway-Execution-Logs_", self._api.api.id, "/", STAGE)

    def _log(self, name: str, group: pulumi.Input[str]) -> cloudwatch.LogGroup:
        return cloudwatch.LogGroup(
            name,
            name=group,
            retention_in_days=self._ground.settings.log_retention_days,
            kms_key_id=self._ground.key.arn,
            opts=self._opts,
        )

    def _account(self) -> list[pulumi.Resource]:
        """The role that API Gateway logs with: one for all APIs of an account in a region.

        It stays when the stack is destroyed, since other APIs may have come to need it, and its name gets
        a random end, so that the stack can be made again beside what stayed.
        """
        if not self._ground.settings.api_account_role:
            return []
        stays = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        role = iam.Role(
            "api-logs",
            name_prefix=f"{self._ground.place.name('api-logs')}-",
            description="How API Gateway writes its logs",
            assume_role_policy=trust("apigateway.amazonaws.com"),
            opts=stays,
        )
        # AWS's own policy for this: the setting is checked against it when it is made.
        policy = iam.RolePolicyAttachment(
            "api-logs",
            role=role.name,
            policy_arn=f"arn:{self._ground.place.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            opts=stays,
        )
        depends = pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[policy])
        return [apigateway.Account("account", cloudwatch_role_arn=role.arn, opts=depends)]

    def _with_key(self) -> apigateway.ApiKey:
        settings = self._ground.settings
        plan = apigateway.UsagePlan(
            "plan",
            name=self._ground.place.name("shroff"),
            description="What one key may ask",
            api_stages=[{"api_id": self._api.api.id, "stage": self.stage.stage_name}],
            throttle_settings={"rate_limit": settings.throttle_rate, "burst_limit": settings.throttle_burst},
            opts=self._opts,
        )
        # Its value is made by AWS and read with the command that docs/aws.md shows: it is in no output.
        made = apigateway.ApiKey("key", name=self._ground.place.name("shroff"), enabled=True, opts=self._opts)
        apigateway.UsagePlanKey(
            "key", key_id=made.id, key_type="API_KEY", usage_plan_id=plan.id, opts=self._opts
        )
        return made
