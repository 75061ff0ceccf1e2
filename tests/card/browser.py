"""A page as a browser lays it out, asked by a frame around it: no driver, only the browser itself."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FRAME = """<!doctype html>
<iframe style="width:%dpx;height:900px;border:0" src="%s"></iframe><pre id="told"></pre>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const page = frame.contentDocument, style = (each) => frame.contentWindow.getComputedStyle(each);
  const box = (each) => each.getBoundingClientRect();
  const texts = [...page.querySelectorAll("h1, h2, td, th, p, .curve text")];
  document.querySelector("#told").textContent = JSON.stringify({
    wider: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    paper: style(page.body).backgroundColor,
    ink: style(page.querySelector("h1")).color,
    soft: style(page.querySelector(".note")).color,
    line: style(page.querySelector(".curve .line")).stroke,
    curves: [...page.querySelectorAll(".curve")].map((each) => [box(each).width, box(each).height]),
    columns: style(page.querySelector(".figures")).gridTemplateColumns.split(" ").length,
    smallest: Math.min(...texts.map((each) => parseFloat(style(each).fontSize))),
    unnamed: [...page.querySelectorAll("svg")].filter(
      (each) => !each.getAttribute("aria-label") && !each.getAttribute("aria-hidden")).length,
    headings: [...page.querySelectorAll("h1, h2, h3")].map((each) => each.tagName),
    outside: frame.contentWindow.performance.getEntriesByType("resource").length,
  });
};
</script>
"""


def laid_out(page: Path, folder: Path, *, width: int, dark: bool = False) -> dict[str, Any]:
    """What a browser says of the page at this width. Skips the test where there is no browser."""
    name = next(filter(None, map(shutil.which, _NAMES)), None)
    if name is None:
        pytest.skip("no browser is installed: chromium, for one")
    frame = folder / "frame.html"
    frame.write_text(_FRAME % (width, page.as_uri()))
    command = [
        name, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
        f"--user-data-dir={folder / 'profile'}", f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--window-size={width + 60},1000", "--dump-dom", frame.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    told = ran.stdout.partition('<pre id="told">')[2].partition("</pre>")[0]
    found: dict[str, Any] = json.loads(html.unescape(told))
    return found


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG has it, from 1 to 21."""
    bright, dim = sorted((_light(one), _light(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _light(colour: str) -> float:
    parts = [float(each) / 255 for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
