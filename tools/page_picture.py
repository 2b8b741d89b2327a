"""docs/pictures/page.jpg, the page of nst-serve: `python -m tools.page_picture`. It takes two minutes and a Chromium.

The page is used as a person uses it: a portrait and a mosaic are chosen and painted, and the slider is pulled.
"""

import base64
import io
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from PIL import Image

from nst_jax.shell.cli.serve import WORKER
from nst_jax.shell.serving.requests import ROUTES
from nst_jax.shell.serving.server import Server

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "page.jpg"
LONGEST = 600  # seconds
READY = "document.readyState === 'complete' && document.querySelectorAll('#painting-strip input').length > 0"
CHOOSE = """for (const value of ['bundled/portrait', 'bundled/mosaic', 'strong'])
  document.querySelector(`input[value="${value}"]`).click();
for (const [name, value] of [['size', 384], ['steps', 60]]) {
  const slider = document.getElementById(name); slider.value = value; slider.dispatchEvent(new Event('input'));
}"""
DONE = "/^Done/.test(document.getElementById('status').textContent)"
PULL = "(e => { e.value = 40; e.dispatchEvent(new Event('input')); scrollTo(0, 0); })(document.getElementById('wipe'))"


def wait(page: Any, expression: str) -> None:
    """Wait until it is true."""
    end = time.monotonic() + LONGEST
    while not page.js(expression):
        if time.monotonic() > end:
            raise TimeoutError(expression)
        time.sleep(0.2)


def main() -> None:
    """Draw it."""
    sys.path.insert(0, str(ROOT / "tests" / "shell"))
    import browser  # pyright: ignore[reportMissingImports]  of the tests

    with tempfile.TemporaryDirectory() as folder:
        server = Server(0, Path(folder), WORKER, ROUTES)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.Browser(width=1280, height=790)
        try:
            page.call("Page.navigate", url=server.address)
            wait(page, READY)
            page.js(CHOOSE)
            page.click("#paint")
            wait(page, DONE)
            page.js(PULL)
            time.sleep(1)
            data = base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])
        finally:
            page.close()
            server.studio.close()
            server.shutdown()
            server.server_close()
    PICTURE.parent.mkdir(exist_ok=True)
    Image.open(io.BytesIO(data)).convert("RGB").save(PICTURE, quality=82, optimize=True)


if __name__ == "__main__":
    main()
