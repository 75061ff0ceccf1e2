"""The public gateway, an RSGI application: transactions in, receipts and decisions out."""

from shroff.api.gateway.application import Gateway
from shroff.api.gateway.settings import GatewayPorts, GatewaySettings

__all__ = ["Gateway", "GatewayPorts", "GatewaySettings"]
