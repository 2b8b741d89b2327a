"""The page of nst-serve in a real browser, from drop to download: by mouse, by keys, on a phone."""

import base64
import io
import json
import os
import shlex
import threading
import time
from pathlib import Path

import browser
import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.cli import serve as command
from nst_jax.shell.serving.requests import ROUTES
from nst_jax.shell.serving.server import Server

LONGEST = 240  # seconds until something must have happened
LABELLED = ("button", "slider", "radio", "combobox", "link", "textbox", "image", "progressbar", "group", "radiogroup")


class Page(browser.Browser):
    """The page, and what happened while it was open."""

    def __init__(self, address, downloads):
        super().__init__(width=1280, height=860)
        self.address, self.downloads = address, downloads
        self.call("Network.enable")
        self.call("Accessibility.enable")
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && document.querySelector('#looks input') !== null")

    def until(self, expression):
        """Wait until it is true."""
        end = time.monotonic() + LONGEST
        while not self.js(expression):
            assert time.monotonic() < end, (expression, self.text("status"), self.text("trouble"))
            time.sleep(0.05)

    def text(self, name):
        return self.js(f"document.getElementById('{name}').textContent")

    def hidden(self, name):
        return self.js(f"document.getElementById('{name}').hidden")

    def value(self, name, value):
        """Set a slider or a menu as a hand does."""
        events = "e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'));"
        self.js(f"(e => {{ e.value = {json.dumps(value)}; {events} }})(document.getElementById('{name}'))")

    def drop(self, selector, name, data):
        """Drop a file."""
        text = base64.b64encode(data).decode()
        self.js(
            f"(() => {{ const raw = Uint8Array.from(atob('{text}'), c => c.charCodeAt(0));"
            f" const all = new DataTransfer(); all.items.add(new File([raw], {json.dumps(name)}));"
            f" const at = document.querySelector({json.dumps(selector)});"
            " for (const kind of ['dragover', 'drop'])"
            "   at.dispatchEvent(new DragEvent(kind, {dataTransfer: all, bubbles: true, cancelable: true})); })()"
        )

    def press(self, key, code, text=""):
        """Press a key, wherever the focus is."""
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    def focus(self):
        """The id, or else the label, of what has the focus."""
        return self.js("(e => e.id || e.ariaLabel || e.tagName)(document.activeElement)")

    def tab_to(self, name):
        """Press Tab until it has the focus."""
        for _ in range(80):
            if self.focus() == name:
                return
            self.press("Tab", 9)
        raise AssertionError(f"Tab does not lead to {name}")

    def box(self, name):
        """Where it is: x, y, width, height."""
        box = f"document.getElementById('{name}').getBoundingClientRect()"
        return self.js(f"(r => [r.x, r.y, r.width, r.height])({box})")

    def command(self):
        """The command, once the page has asked for it."""
        self.js("new Promise(done => setTimeout(done, 400))")
        return self.text("command")

    def finger(self, kind, *points):
        """Touch the mask: points in parts of it."""
        x, y, w, h = self.box("mask")
        at = [{"x": x + px * w, "y": y + py * h} for px, py in points]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=at)

    def mouse(self, kind, px, py):
        """Use the mouse on the mask: in parts of it."""
        x, y, w, h = self.box("mask")
        told = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x + px * w, y=y + py * h, **told)

    def requests(self):
        """The addresses that were asked."""
        sent = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [e["params"]["request"]["url"] for e in sent]

    def unnamed(self):
        """What a screen reader meets without a name."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        found = [n for n in nodes if not n.get("ignored") and n.get("role", {}).get("value") in LABELLED]
        assert len(found) > 10
        roles = [n["role"]["value"] for n in found if not n.get("name", {}).get("value")]
        return [role for role in roles if role != "group"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(0, tmp_path_factory.mktemp("page") / "runs", command.WORKER, ROUTES)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.studio.close()
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def page(server, tmp_path_factory):
    if browser.found() is None:
        pytest.skip("no Chromium is installed: the page is not tested")
    opened = Page(server.address, tmp_path_factory.mktemp("downloads"))
    yield opened
    opened.close()


def shoot(page, name):
    """A screenshot to look at, where NST_SCREENSHOTS says so."""
    if folder := os.environ.get("NST_SCREENSHOTS"):
        page.screenshot(Path(folder) / f"serve_{name}.png")


def small(name, size=(96, 72)):
    """A bundled picture as the bytes of a small JPEG."""
    file = io.BytesIO()
    with Image.open(pictures.path(name)) as image:
        image.resize(size).save(file, format="JPEG")
    return file.getvalue()


def everything_has_a_name(page, server):
    page.until("document.getElementById('after').complete && document.getElementById('after').naturalWidth > 0")
    assert page.unnamed() == []
    assert page.js("[...document.images].every(i => i.hasAttribute('alt'))")
    assert page.js("document.documentElement.lang") == "en"
    assert page.js("document.querySelectorAll('h1').length") == 1
    shoot(page, "beginning")


def what_is_no_picture_is_a_sentence(page, server):
    page.drop("#photo-box", "notes.txt", b"hello there")
    page.until("!document.getElementById('trouble').hidden")
    assert "holds text" in page.text("trouble")
    assert page.js("document.querySelector('input[name=photo]:checked').value") == "bundled/landscape"


def drop_a_photograph_and_a_painting(page, server):
    page.drop("#photo-box", "my beach.jpg", small("portrait", (72, 96)))
    page.until("document.querySelector('input[name=photo]:checked').value === 'own/my_beach.jpg'")
    assert page.hidden("trouble")
    page.drop("#painting-box", "Café [1].jpg", small("mosaic"))
    page.until("document.querySelector('input[name=painting]:checked').value === 'own/Café_1.jpg'")
    page.until("document.getElementById('painting-shown').naturalWidth === 96")
    assert "my_beach.jpg" in page.command()


def choose_a_file(page, server):
    """The dialog of the browser, as its protocol fills it in."""
    path = page.downloads / "chosen.jpg"
    path.write_bytes(small("ink"))
    found = page.call("Runtime.evaluate", expression="document.getElementById('painting-file')")["result"]["objectId"]
    page.call("DOM.setFileInputFiles", files=[str(path)], objectId=found)
    page.until("document.querySelector('input[name=painting]:checked').value === 'own/chosen.jpg'")
    page.js("document.querySelector('input[name=painting][value=\"bundled/brush\"]').click()")


def a_look_and_a_method_by_keys(page, server):
    page.js("document.querySelector('input[name=look]:checked').focus()")
    page.press("ArrowRight", 39)
    assert page.js("document.querySelector('input[name=look]:checked').value") == "strong"
    assert "shapes give way" in page.text("look-about")
    page.js("document.querySelector('input[name=method]:checked').focus()")
    page.press("ArrowRight", 39)
    assert page.hidden("look-box")
    page.press("ArrowLeft", 37)
    assert not page.hidden("look-box")


def a_mask_by_mouse_and_keys(page, server):
    page.click("#mask-open")
    page.until("!document.getElementById('masking').hidden")
    assert page.unnamed() == []
    assert page.focus() == "mask"
    page.mouse("mousePressed", 0.1, 0.25)
    for i in range(9):
        page.mouse("mouseMoved", 0.1 + 0.1 * i, 0.25)
    page.mouse("mouseReleased", 0.9, 0.25)
    for _ in range(20):
        page.press("ArrowDown", 40)
    page.press(" ", 32, " ")
    shoot(page, "mask")
    page.click("#mask-done")
    page.until("document.getElementById('masking').hidden")
    with Image.open(server.root / "pictures" / "my_beach_keep.png") as image:
        mask = np.asarray(image.convert("L"), np.float32) / 255
    assert mask.shape == (96, 72)
    assert mask[24, 10:60].min() == 1  # the stroke
    assert mask[80:, :].max() == 1  # the dab
    assert mask[45:60, :30].max() == 0
    assert page.text("mask-open") == "Change"
    page.until("document.getElementById('command').textContent.includes('regions.keep.style=null')")


def paint_watch_stop_go_on(page, server):
    page.value("size", "64")
    page.value("steps", "500")
    page.tab_to("paint")
    page.press("Enter", 13, "\r")
    page.until("!document.getElementById('stop').hidden")
    page.until("/^Step [1-9]\\d* of 500/.test(document.getElementById('status').textContent)")
    page.until("document.getElementById('after').src.includes('live?of=')")
    first = page.js("document.getElementById('after').src")
    page.until(f"document.getElementById('after').src !== {json.dumps(first)}")
    shoot(page, "painting")
    page.tab_to("stop")
    page.press("Enter", 13, "\r")
    page.until("!document.getElementById('resume').hidden")
    assert page.text("status").startswith("Stopped at step ")
    assert "Stopped at step" in page.text("news")
    shoot(page, "stopped")
    page.click("#resume")
    page.until("document.getElementById('resume').hidden")
    page.until("/^Step /.test(document.getElementById('status').textContent)")
    page.click("#stop")
    page.until("!document.getElementById('resume').hidden")


def paint_compare_download(page, server):
    page.value("steps", "10")
    page.click("#paint")
    page.until("/^Done: 10 steps/.test(document.getElementById('status').textContent)")
    result = Path(server.studio.state["result"])
    assert result.is_file()
    assert json.loads(result.with_suffix(".json").read_text())["config"]["regions"]["keep"]["style"] is None
    page.until("document.getElementById('after').src.includes('result?of=')")
    page.until("!document.getElementById('compare').hidden && document.getElementById('before').naturalWidth > 0")
    page.js("document.getElementById('wipe').focus()")
    for _ in range(3):
        page.press("PageUp", 33)
    assert page.js("parseFloat(getComputedStyle(document.getElementById('frame')).getPropertyValue('--wipe'))") > 10
    assert "inset" in page.js("getComputedStyle(document.getElementById('before')).clipPath")
    shoot(page, "compare")
    page.click("#download")
    kept = page.downloads / "my_beach_brush.png"
    end = time.monotonic() + 60
    while not kept.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert kept.read_bytes() == result.read_bytes()


def show_me_the_command(page, server):
    page.click("#how summary")
    assert page.js("document.getElementById('how').open")
    line = shlex.split(page.text("command"))
    assert line[0] == "nst"
    assert line[1] == f"content={(server.root / 'pictures' / 'my_beach.jpg').absolute()}"
    assert {"look=strong", "size=64", "steps=10", "network=distilled"} <= set(line)
    assert page.text("command") == Path(server.studio.state["folder"], "command.txt").read_text().strip()
    page.js("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.click("#copy")
    page.until("window.copied === document.getElementById('command').textContent")
    page.until("document.getElementById('copy').textContent === 'Copied'")


def earlier_pictures(page, server):
    page.until("document.querySelectorAll('#runs button').length === 2")
    page.js("document.querySelectorAll('#runs button')[1].focus()")
    page.press("Enter", 13, "\r")
    page.until("!document.getElementById('back').hidden")
    assert "It was stopped on its way." in page.text("status")
    assert not page.hidden("resume")
    page.until("document.getElementById('after').src.includes('/runs/')")
    assert "steps=500" in page.command()
    assert page.unnamed() == []
    page.click("#back")
    page.until("document.getElementById('after').src.includes('result?of=')")


def one_pass(page, server):
    page.js("document.querySelector('input[name=method][value=instant]').click()")
    page.click("#mask-remove")
    page.value("strength", "0.5")
    page.click("#paint")
    page.until("document.getElementById('status').textContent === 'Done.'")
    assert "alpha=0.5" in page.text("command")
    page.js("document.querySelector('input[name=method][value=optimise]').click()")


def on_a_phone(page, server):
    page.size(390, 844)
    try:
        page.js("scrollTo(0, 0)")
        assert page.js("document.documentElement.scrollWidth") <= 390
        assert page.js("document.getElementById('after').getBoundingClientRect().width") > 250
        assert page.js("document.getElementById('paint').getBoundingClientRect().bottom") <= 844
        boxes = "[...document.querySelectorAll('button, select, .button, .strip label')]"
        all_boxes = f"{boxes}.map(e => e.getBoundingClientRect())"
        least = page.js(f"Math.min(...{all_boxes}.filter(r => r.width).map(r => Math.min(r.width, r.height)))")
        assert least >= 38  # for a finger
        shoot(page, "phone")
        page.click("#mask-open")
        page.until("!document.getElementById('masking').hidden")
        page.js("scrollTo(0, 0)")
        page.finger("touchStart", (0.3, 0.5))
        for i in range(5):
            page.finger("touchMove", (0.3 + 0.05 * i, 0.5))
        page.finger("touchEnd")
        drawn = "document.getElementById('mask').getContext('2d').getImageData(28, 48, 1, 1).data[3]"
        assert page.js(drawn) == 255
        assert page.js("document.documentElement.scrollWidth") <= 390
        shoot(page, "phone_mask")
        page.click("#mask-cancel")
    finally:
        page.size(1280, 860)


def a_page_that_is_opened_later_shows_the_same(page, server):
    page.call("Page.reload")
    page.until("document.readyState === 'complete' && document.querySelector('#looks input') !== null")
    page.until("document.getElementById('after').src.includes('result?of=')")
    page.until("document.querySelectorAll('#runs button').length === 3")


def nothing_came_from_elsewhere_and_nothing_complained(page, server):
    asked = page.requests()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((server.address, "blob:", "data:"))] == []
    refused = "the server responded with a status of 400"  # the file that was no picture
    assert [c for c in page.complaints() if refused not in json.dumps(c)] == []


VISIT = (
    everything_has_a_name,
    what_is_no_picture_is_a_sentence,
    drop_a_photograph_and_a_painting,
    choose_a_file,
    a_look_and_a_method_by_keys,
    a_mask_by_mouse_and_keys,
    paint_watch_stop_go_on,
    paint_compare_download,
    show_me_the_command,
    earlier_pictures,
    one_pass,
    on_a_phone,
    a_page_that_is_opened_later_shows_the_same,
    nothing_came_from_elsewhere_and_nothing_complained,
)


@pytest.mark.slow
def test_a_visit(page, server):
    """One after the other, in one browser: each goes on where the one before ended."""
    for step in VISIT:
        step(page, server)
