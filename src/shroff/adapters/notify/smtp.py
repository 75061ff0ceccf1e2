"""Alerts as mails."""

from __future__ import annotations

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from datetime import UTC, datetime

import structlog

from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected, Retryable

_TLS_PORT = 465
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

log = structlog.get_logger()


class SmtpChannel:
    """Mails each alert, as plain text, to all recipients at once; on port 465 over TLS from the start.

    Raises ValueError for an address that is none, and for a password that would travel in the clear.
    """

    def __init__(  # noqa: PLR0913 (the settings of a mail server are that many)
        self,
        host: str,
        port: int,
        sender: str,
        recipients: Sequence[str],
        *,
        starttls: bool = False,
        user: str | None = None,
        password: str | None = None,
        timeout: float = 10.0,
        context: ssl.SSLContext | None = None,
        name: str = "smtp",
    ) -> None:
        self.name = name
        self._host, self._port, self._timeout = host, port, timeout
        self._sender = _address(sender)
        self._recipients = tuple(_address(recipient) for recipient in recipients)
        self._starttls, self._context = starttls, context or ssl.create_default_context()
        self._user, self._password = user, password
        if not self._recipients:
            raise ValueError("mail needs at least one recipient")
        if user is not None and not (starttls or port == _TLS_PORT or _is_loopback(host)):
            raise ValueError("a mail server's password is sent over TLS only: set starttls, or port 465")

    def send(self, alert: Alert) -> None:
        """Mail it; refused by the server for good is Rejected, everything else may pass."""
        try:
            with self._connected() as server:
                refused = server.send_message(self._message(alert))
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(self._host, max(error.recipients.values(), key=_passing)) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(self._host, (error.smtp_code, error.smtp_error)) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Retryable(f"{self._host} cannot be reached: {_cause(error)}") from None
        if refused:
            # The others have it: another attempt would send it to them again.
            log.warning("mail_partly_refused", alert_id=alert.alert_id, recipients=len(refused))
