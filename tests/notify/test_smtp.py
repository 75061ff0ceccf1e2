from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from shutil import which
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from shroff.adapters.notify import SmtpChannel
from shroff.core.errors import Rejected, Retryable
from tests.notify.conftest import alert

SENDER = "Shroff <shroff@bank.example>"


class Postbox:
    """A mail server's rules: keeps mails, answers what it is told."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuses: dict[str, str] = {}
        self.answer = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.mails.append(
                (envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default))
            )
        return self.answer


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    yield from served()


def served(**options: Any) -> Iterator[tuple[Postbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def channel(port: int, *recipients: str, **options: Any) -> SmtpChannel:
    return SmtpChannel("127.0.0.1", port, SENDER, recipients or ("desk@bank.example",), timeout=5, **options)


def test_an_analyst_reads_what_happened(postbox):
    box, port = postbox
    channel(port, "a@bank.example", "b@bank.example").send(alert())
    ((recipients, mail),) = box.mails
    assert recipients == ["a@bank.example", "b@bank.example"]
    assert mail["Subject"] == "[Shroff] decline: Many payments in a short time (customer cust-001)"
    assert mail["From"] == SENDER
    assert mail["Message-ID"] == "<alert-0001@bank.example>"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == (
        "Many payments in a short time\n\n"
        "Outcome:     decline\n"
        "Customer:    cust-001\n"
        "Transaction: txn-1\n"
        "Occurred:    2023-11-14T22:13:20.001Z\n"
        "Raised:      2023-11-14T22:13:25.000Z\n"
        "Rule:        velocity\n"
        "Score:       0.90\n"
        "Hits:        1\n"
        "Alert:       alert-0001\n"
    )


def test_what_a_transaction_says_becomes_no_header_and_no_line(postbox):
    box, port = postbox
    hostile = "x\r\nBcc: evil@example.com\r\n\r\nhello\u2028there"
    channel(port).send(alert(key=hostile, reason=hostile, transaction_id="t\n.\nQUIT"))
    ((recipients, mail),) = box.mails
    assert recipients == ["desk@bank.example"]
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert "Transaction: t . QUIT" in mail.get_content()
    assert not any(line.startswith(("Bcc", "hello", "there")) for line in mail.get_content().splitlines())


def test_a_card_number_is_never_mailed(postbox):
    box, port = postbox
    channel(port).send(
        alert(entity="card", key="4111111111111234", reason="Card 4111 1111 1111 1234 is on a list")
    )
    ((_, mail),) = box.mails
    assert "411111" not in (mail["Subject"] + mail.get_content()).replace(" ", "")
    assert "Card:        ************1234" in mail.get_content()


def test_other_alphabets_arrive_whole(postbox):
    box, port = postbox
    channel(port).send(alert(key="Kägi 買い物 🛒"))
    ((_, mail),) = box.mails
    assert "Kägi 買い物 🛒" in mail["Subject"]
    assert "Kägi 買い物 🛒" in mail.get_content()


@pytest.mark.parametrize(("answer", "kind"), [("451 later", Retryable), ("554 no", Rejected)])
def test_a_refusal_passes_or_does_not_as_the_server_says(postbox, answer, kind):
    box, port = postbox
    box.answer = answer
    with pytest.raises(kind, match=f"127.0.0.1 refused the mail: {answer}"):
        channel(port).send(alert())


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"a@b.example": "550 unknown"}, Rejected),
        ({"a@b.example": "450 full"}, Retryable),
        ({"a@b.example": "550 unknown", "c@d.example": "450 full"}, Retryable),
    ],
)
def test_when_nobody_takes_it_a_refusal_that_may_pass_counts(postbox, answers, kind):
    box, port = postbox
    box.refuses = answers
    with pytest.raises(kind):
        channel(port, *answers).send(alert())


def test_when_somebody_takes_it_the_others_are_logged_and_nobody_gets_it_twice(postbox, capsys):
    box, port = postbox
    box.refuses = {"a@b.example": "550 unknown"}
    channel(port, "a@b.example", "c@d.example").send(alert())
    assert [recipients for recipients, _ in box.mails] == [["c@d.example"]]
    assert "mail_partly_refused" in capsys.readouterr().out


def test_nobody_there_may_pass(postbox):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Retryable, match="took no mail: connection refused"):
        channel(port).send(alert())


def test_a_server_that_never_greets_is_left_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = SmtpChannel("127.0.0.1", silent.getsockname()[1], SENDER, ["a@b.example"], timeout=0.1)
        with pytest.raises(Retryable, match="timed out"):
            mail.send(alert())


def test_a_server_without_tls_gets_no_mail_when_tls_was_asked_for(postbox):
    box, port = postbox
    with pytest.raises(Retryable, match="starttls"):
        channel(port, starttls=True).send(alert())
    assert box.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_opens_the_door_and_a_wrong_one_may_be_mended():
    def authenticate(server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> AuthResult:
        right = (data.login, data.password) == (b"shroff", b"right")
        return AuthResult(success=right, handled=False)

    options = {"authenticator": authenticate, "auth_require_tls": False, "auth_required": True}
    for box, port in served(**options):
        channel(port, user="shroff", password="right").send(alert())
        assert len(box.mails) == 1
        with pytest.raises(Retryable, match="535"):
            channel(port, user="shroff", password="wrong").send(alert())


@pytest.mark.skipif(which("openssl") is None, reason="openssl makes the certificate, and is not here")
def test_mail_and_password_travel_over_tls(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    what = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    files = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run(["openssl", "req", "-x509", *what, *files], check=True, capture_output=True)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(cert, key)
    seen: list[bytes] = []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=session.ssl is not None)

    for box, port in served(tls_context=own, require_starttls=True, authenticator=authenticate):
        trusting = ssl.create_default_context(cafile=cert)
        channel(port, starttls=True, user="shroff", password="right", context=trusting).send(alert())
        assert (len(box.mails), seen) == (1, [b"right"])
        with pytest.raises(Retryable, match="certificate verify failed"):
            channel(port, starttls=True, user="shroff", password="right").send(alert())
        assert seen == [b"right"]


def test_a_password_is_not_sent_in_the_clear():
    with pytest.raises(Rejected, match="over TLS only"):
        SmtpChannel("mail.bank.example", 25, SENDER, ["a@b.example"], user="u", password="p")
    SmtpChannel("mail.bank.example", 587, SENDER, ["a@b.example"], starttls=True, user="u", password="p")
    SmtpChannel("mail.bank.example", 465, SENDER, ["a@b.example"], user="u", password="p")


@pytest.mark.parametrize(
    "text", ["", "nobody", "a@", "@b", "a b@c", "a@b.example\r\nBcc: c@d", "ä@b.example"]
)
def test_an_address_that_is_none_is_told_at_once(text):
    with pytest.raises(Rejected, match="is not a mail address"):
        SmtpChannel("localhost", 25, text, ["a@b.example"])
    with pytest.raises(Rejected, match="is not a mail address"):
        SmtpChannel("localhost", 25, SENDER, [text])


def test_mail_to_nobody_is_told_at_once():
    with pytest.raises(Rejected, match="at least one recipient"):
        SmtpChannel("localhost", 25, SENDER, [])
