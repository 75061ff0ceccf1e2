"""An alert reaches the webhook that the settings name, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

from tests.stories.serving import serving, shroff, transaction

SECRET = "a-secret-of-ours"


def test_an_alert_is_posted_to_the_webhook_with_a_signature_that_verifies(tmp_path: Path) -> None:
    posts: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as hook:
        Thread(target=hook.serve_forever, daemon=True).start()
        settings = f'[webhook]\nurl = "http://127.0.0.1:{hook.server_port}/alerts"\n'
        (tmp_path / "settings.toml").write_text(settings)
        with serving(tmp_path, environment={"SHROFF_WEBHOOK_SECRET": SECRET}) as server:
            shroff("lists", "add", "blocked_cards", "card-666", "--data", tmp_path)
            body = transaction(1, transaction_id="told", card_id="card-666")
            assert server.request("POST", "/decisions", body)[1]["outcome"] == "decline"
            headers, content = posts.get(timeout=20)
        hook.shutdown()
    alert = json.loads(content)
    assert (alert["rule"], alert["transaction_id"], alert["entity"]) == ("blocked_card", "told", "card")
    signed = f"{headers['X-Shroff-Timestamp']}.".encode() + content
    assert (
        headers["X-Shroff-Signature"] == "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    )
