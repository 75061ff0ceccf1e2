"""The API: addresses, methods and their way to the function."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import apigateway, lambda_

from infra.components.contract import (
    AUTHORIZATION,
    BINARY,
    KEY_SOURCE,
    MODEL,
    PATIENCE,
    ROUTES,
    SCHEMA,
    Route,
    refusals,
)
from infra.components.functions import Function
from infra.components.place import Place
from infra.settings import Settings


class Api(pulumi.ComponentResource):
    """A REST API whose every route goes to the one function, as the proxy event."""

    def __init__(self, place: Place, settings: Settings, handler: Function) -> None:
        super().__init__("shroff:infra:Api", "api")
        self._settings, self._handler = settings, handler
        self._opts = pulumi.ResourceOptions(parent=self)
        self.name = place.name("shroff")
        self.api = apigateway.RestApi(
            "api",
            name=self.name,
            description="Transactions in, receipts and decisions out",
            endpoint_configuration={"types": "REGIONAL"},
            api_key_source=KEY_SOURCE,
            binary_media_types=BINARY,
            opts=self._opts,
        )
        self._refuse()
        self.validator = apigateway.RequestValidator(
            "body", name="body", rest_api=self.api.id, validate_request_body=True, opts=self._opts
        )
        self.model = apigateway.Model(
            MODEL,
            name=MODEL,
            rest_api=self.api.id,
            content_type="application/json",
            schema=json.dumps(SCHEMA),
            opts=self._opts,
        )
        self.authorizer = self._authorizer()
        self._addresses: dict[str, apigateway.Resource] = {}
        self.routes = [made for route in ROUTES for made in self._route(route)]
        """What a deployment has to wait for."""
        self.register_outputs({})

    def _refuse(self) -> None:
        self.responses = [
            apigateway.Response(
                each.kind,
                rest_api_id=self.api.id,
                response_type=each.kind,
                status_code=None if each.status is None else str(each.status),
                response_templates={"application/json": each.template},
                response_parameters=each.headers,
                opts=self._opts,
            )
            for each in refusals(self._settings)
        ]

    def _authorizer(self) -> apigateway.Authorizer | None:
        if self._settings.auth != "cognito":
            return None
        return apigateway.Authorizer(
            "users",
            name="users",
            rest_api=self.api.id,
            type="COGNITO_USER_POOLS",
            provider_arns=[self._settings.user_pool_arn or ""],
            identity_source="method.request.header.Authorization",
            opts=self._opts,
        )

    def _address(self, path: str) -> pulumi.Output[str]:
        """The id of the resource at a path, made with its parents where it is new."""
        if path == "":
            return self.api.root_resource_id
        if path not in self._addresses:
            parent, _, part = path.rpartition("/")
            self._addresses[path] = apigateway.Resource(
                path, rest_api=self.api.id, parent_id=self._address(parent), path_part=part, opts=self._opts
            )
        return self._addresses[path].id

    def _route(self, route: Route) -> list[pulumi.Resource]:
        settings = self._settings
        method = apigateway.Method(
            route.name,
            rest_api=self.api.id,
            resource_id=self._address(route.path),
            http_method=route.method,
            authorization=AUTHORIZATION[settings.auth],
            authorizer_id=self.authorizer.id if self.authorizer else None,
            api_key_required=settings.auth == "key",
            request_models={"application/json": self.model.name} if route.checked else None,
            request_validator_id=self.validator.id if route.checked else None,
            opts=self._opts,
        )
        integration = apigateway.Integration(
            route.name,
            rest_api=self.api.id,
            resource_id=method.resource_id,
            http_method=method.http_method,
            type="AWS_PROXY",
            integration_http_method="POST",
            uri=self._handler.function.invoke_arn,
            timeout_milliseconds=PATIENCE,
            opts=self._opts,
        )
        # This route of this API and nothing else may call the function.
        lambda_.Permission(
            route.name,
            # Pulumi would make it from the name above, and AWS would refuse that.
            statement_id=route.statement,
            action="lambda:InvokeFunction",
            function=self._handler.function.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self.api.execution_arn, "/", route.pattern),
            opts=self._opts,
        )
        return [method, integration]
