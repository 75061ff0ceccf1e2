"""What a mail about an alert says, and to whom one can be sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.mime.text import MIMEText
from email.utils import format_datetime, parseaddr

from shroff.adapters.notify.masking import without_cards
from shroff.codec import instant
from shroff.core.alert import Alert
from shroff.core.errors import Fault, Rejected

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_SUBJECT = 150


def message(alert: Alert, sender: Address, recipients: tuple[Address, ...]) -> MIMEText:
    """The mail; its Message-ID is the same however often it is sent."""
    about = f"{alert.reason} ({alert.entity} {alert.key})"
    subject, text = _line(f"[Shroff] {alert.outcome}: {about}")[:_LONGEST_SUBJECT], _text(alert)
    # The older of the two mail APIs: EmailMessage loses spaces between words of other alphabets in a subject.
    mail = MIMEText(text, "plain", "us-ascii" if text.isascii() else "utf-8")
    mail["Subject"] = Header(subject, "us-ascii" if subject.isascii() else "utf-8").encode()
    mail["From"] = str(sender)
    mail["To"] = ", ".join(map(str, recipients))
    mail["Date"] = format_datetime(datetime.fromtimestamp(alert.raised_at // 1000, UTC))
    mail["Message-ID"] = f"<{_line(alert.alert_id)}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def address(text: str) -> Address:
    """A mail address, with or without a name. Raises Rejected for what is none."""
    name, plain = parseaddr(text)
    try:
        parsed = Address(display_name=name, addr_spec=plain)
    except (ValueError, MessageError, IndexError):
        parsed = None
    if parsed is None or not (parsed.username and parsed.domain and text.isascii() and text.isprintable()):
        raise Rejected([Fault("smtp", f"{text!r} is not a mail address")])
    return parsed


def _text(alert: Alert) -> str:
    rows = {
        "Outcome": alert.outcome,
        alert.entity.capitalize(): alert.key,
        "Transaction": alert.transaction_id,
        "Occurred": instant(alert.occurred_at),
        "Raised": instant(alert.raised_at),
        "Rule": alert.rule,
        "Score": f"{alert.score:.2f}",
        "Hits": str(alert.hits),
        "Alert": alert.alert_id,
    }
    width = max(map(len, rows)) + 2
    lines = (f"{f'{name}:':<{width}}{_line(value)}" for name, value in rows.items())
    return "\n".join([_line(alert.reason), "", *lines, ""])


def _line(text: str) -> str:
    """One line of text for people, whatever a transaction put into it."""
    return without_cards(_UNPRINTABLE.sub(" ", text)).strip()
