"""Settings: defaults, the file, the environment, and what is said of faulty ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from shroff.core.errors import Rejected
from shroff.runtimes.settings import FILE, Settings, read_settings


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}) == Settings()


def test_the_environment_goes_before_the_file_and_secrets_need_stand_in_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('currency = "EUR"\nbatch = 7\n[webhook]\nurl = "http://localhost/hook"\n')
    environment = {"SHROFF_CURRENCY": "CHF", "SHROFF_WEBHOOK_SECRET": "s3cret", "SHROFF_LOG_ALERTS": "false"}
    settings = read_settings(tmp_path, environment)
    assert (settings.currency, settings.batch, settings.log_alerts) == ("CHF", 7, False)
    assert settings.webhook is not None
    assert settings.webhook.secret == "s3cret"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("batch = [", "settings.toml"),
        ('batch = "many"', "batch"),
        ("bacth = 5", "bacth"),
        ("batch = 0", "batch"),
        ("report_hour = 24", "report_hour"),
        ("retry_delays = [-1]", "retry_delays"),
        ('currency = "EURO"', "EURO"),
        ('[webhook]\nsecret = "x"', "url"),
    ],
)
def test_a_faulty_file_is_told_in_a_sentence_that_names_what_and_where(
    tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Rejected, match=named):
        read_settings(tmp_path, {})
