"""Alerts as mails."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog

from shroff.adapters.notify.mail import address, message
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected, Retryable

_TLS_PORT = 465
_LONGEST_CAUSE = 200

log = structlog.get_logger()


class SmtpChannel:
    """Mails each alert, as plain text, to all recipients at once; on port 465 with TLS from the start.

    Raises Rejected for an address that is none, and for a password that would travel in the clear.
    """

    def __init__(  # noqa: PLR0913 (a mail server has that many settings)
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
        self._sender = address(sender)
        self._recipients = tuple(address(recipient) for recipient in recipients)
        self._starttls, self._context = starttls, context or ssl.create_default_context()
        self._user, self._password = user, password or ""
        if not self._recipients:
            raise Rejected([Fault("smtp.recipients", "mail needs at least one recipient")])
        if user is not None and not (starttls or port == _TLS_PORT or _is_loopback(host)):
            problem = "a mail server's password is sent over TLS only: set starttls, or port 465"
            raise Rejected([Fault("smtp.starttls", problem)])

    def send(self, alert: Alert) -> None:
        """Mail it. What the server refuses for good is Rejected; all else, a wrong password too, may pass."""
        mail = message(alert, self._sender, self._recipients)
        try:
            with self._connected() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(self._host, *min(error.recipients.values())) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(self._host, error.smtp_code, error.smtp_error) from None
        except OSError as error:
            raise Retryable(f"{self._host} took no mail: {_cause(error)}") from None
        if refused:
            # The others have it, and another attempt would send it to them again.
            log.warning("mail_partly_refused", alert_id=alert.alert_id, recipients=len(refused))

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self._port == _TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._timeout, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            if self._starttls and self._port != _TLS_PORT:
                server.starttls(context=self._context)
            if self._user is not None:
                server.login(self._user, self._password)
            yield server
            with suppress(OSError):  # the mail is taken, however the goodbye goes
                server.quit()
        finally:
            server.close()


def _refusal(host: str, code: int, answer: bytes | str) -> Rejected | Retryable:
    problem = f"{host} refused the mail: {code} {_plain(answer)}"
    return Retryable(problem) if code < 500 else Rejected([Fault("smtp", problem)])


def _cause(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_plain(error.smtp_error)}"
    return (error.strerror or str(error) or type(error).__name__).lower()


def _plain(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:_LONGEST_CAUSE]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
