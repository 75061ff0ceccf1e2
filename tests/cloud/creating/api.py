"""Creates the REST API: resources, methods, models, stage, keys and plans."""

from __future__ import annotations

from typing import Any

from tests.cloud.creating.registry import Created, Inputs, creates
from tests.cloud.process import ACCOUNT, REGION, Moto


def lower(inputs: Inputs, *names: str) -> dict[str, Any]:
    """API Gateway's own API speaks camelCase, as the program does."""
    return {name: inputs[name] for name in names if inputs.get(name) is not None}


@creates("aws:apigateway/restApi:RestApi")
def rest_api(moto: Moto, inputs: Inputs) -> Created:
    client = moto.client("apigateway")
    kinds = (
        {"endpointConfiguration": {"types": [inputs["endpointConfiguration"]["types"]]}}
        if inputs.get("endpointConfiguration")
        else {}
    )
    made = client.create_rest_api(**lower(inputs, "name", "description", "policy", "apiKeySource"), **kinds)
    api = made["id"]
    if inputs.get("body"):
        client.put_rest_api(restApiId=api, mode="overwrite", body=inputs["body"].encode())
    root = next(each["id"] for each in client.get_resources(restApiId=api)["items"] if each["path"] == "/")
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}"
    return api, {
        "rootResourceId": root,
        "executionArn": arn,
        "arn": f"arn:aws:apigateway:{REGION}::/restapis/{api}",
    }


@creates("aws:apigateway/resource:Resource")
def resource(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_resource(
        restApiId=inputs["restApi"], parentId=inputs["parentId"], pathPart=inputs["pathPart"]
    )
    return made["id"], {"path": made["path"]}


@creates("aws:apigateway/requestValidator:RequestValidator")
def validator(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_request_validator(
        restApiId=inputs["restApi"],
        **lower(inputs, "name", "validateRequestBody", "validateRequestParameters"),
    )
    return made["id"], {}


@creates("aws:apigateway/model:Model")
def model(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_model(
        restApiId=inputs["restApi"], **lower(inputs, "name", "contentType", "schema", "description")
    )
    return made["id"], {}


@creates("aws:apigateway/authorizer:Authorizer")
def authorizer(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_authorizer(
        restApiId=inputs["restApi"], **lower(inputs, "name", "type", "providerArns", "identitySource")
    )
    return made["id"], {}


@creates("aws:apigateway/method:Method")
def method(moto: Moto, inputs: Inputs) -> Created:
    validator_id = (
        {"requestValidatorId": inputs["requestValidatorId"]} if inputs.get("requestValidatorId") else {}
    )
    moto.client("apigateway").put_method(
        restApiId=inputs["restApi"],
        resourceId=inputs["resourceId"],
        httpMethod=inputs["httpMethod"],
        authorizationType=inputs["authorization"],
        apiKeyRequired=bool(inputs.get("apiKeyRequired")),
        **lower(inputs, "requestModels", "requestParameters", "authorizerId"),
        **validator_id,
    )
    return f"agm-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}", {}


@creates("aws:apigateway/integration:Integration")
def integration(moto: Moto, inputs: Inputs) -> Created:
    moto.client("apigateway").put_integration(
        restApiId=inputs["restApi"],
        resourceId=inputs["resourceId"],
        httpMethod=inputs["httpMethod"],
        integrationHttpMethod=inputs.get("integrationHttpMethod", "POST"),
        **lower(inputs, "type", "uri", "passthroughBehavior", "requestTemplates"),
    )
    return f"agi-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}", {}


@creates("aws:apigateway/response:Response")
def gateway_response(moto: Moto, inputs: Inputs) -> Created:
    moto.client("apigateway").put_gateway_response(
        restApiId=inputs["restApiId"],
        **lower(inputs, "responseType", "statusCode", "responseTemplates", "responseParameters"),
    )
    return f"aggr-{inputs['restApiId']}-{inputs['responseType']}", {}


@creates("aws:apigateway/deployment:Deployment")
def deployment(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_deployment(restApiId=inputs["restApi"])
    return made["id"], {}


@creates("aws:apigateway/stage:Stage")
def stage(moto: Moto, inputs: Inputs) -> Created:
    api, name = inputs["restApi"], inputs["stageName"]
    moto.client("apigateway").create_stage(
        restApiId=api,
        stageName=name,
        deploymentId=inputs["deployment"],
        tracingEnabled=bool(inputs.get("xrayTracingEnabled")),
        **lower(inputs, "variables", "description"),
    )
    url = f"https://{api}.execute-api.{REGION}.amazonaws.com/{name}"
    return f"ags-{api}-{name}", {
        "invokeUrl": url,
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{name}",
        "arn": f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/{name}",
    }


@creates("aws:apigateway/apiKey:ApiKey")
def api_key(moto: Moto, inputs: Inputs) -> Created:
    client = moto.client("apigateway")
    made = client.create_api_key(
        enabled=inputs.get("enabled", True), **lower(inputs, "name", "description", "value")
    )
    value = client.get_api_key(apiKey=made["id"], includeValue=True)["value"]
    return made["id"], {"value": value}


@creates("aws:apigateway/usagePlan:UsagePlan")
def usage_plan(moto: Moto, inputs: Inputs) -> Created:
    stages = [{"apiId": each["apiId"], "stage": each["stage"]} for each in inputs.get("apiStages") or []]
    limits: dict[str, Any] = {}
    if throttle := inputs.get("throttleSettings"):
        limits["throttle"] = {"rateLimit": throttle["rateLimit"], "burstLimit": int(throttle["burstLimit"])}
    made = moto.client("apigateway").create_usage_plan(
        apiStages=stages, **lower(inputs, "name", "description"), **limits
    )
    return made["id"], {}


@creates("aws:apigateway/usagePlanKey:UsagePlanKey")
def usage_plan_key(moto: Moto, inputs: Inputs) -> Created:
    made = moto.client("apigateway").create_usage_plan_key(
        usagePlanId=inputs["usagePlanId"], keyId=inputs["keyId"], keyType=inputs["keyType"]
    )
    return made["id"], {}
