"""Ways to tell people about alerts: a log line, a signed webhook, a mail.

Each answers the Channel port and delivers at least once; the alert's id tells a receiver what came twice.
"""

from shroff.adapters.notify.log import LogChannel
from shroff.adapters.notify.signature import sign, verify
from shroff.adapters.notify.smtp import SmtpChannel
from shroff.adapters.notify.webhook import WebhookChannel

__all__ = ["LogChannel", "SmtpChannel", "WebhookChannel", "sign", "verify"]
