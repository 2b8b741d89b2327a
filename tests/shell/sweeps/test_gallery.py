"""The table, the sheet and the page of a sweep: the page in a real browser, by real clicks and keys."""

import itertools
import json
import os
import re
import sys
import time
from pathlib import Path

import browser
import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.shell.cli.gallery import main
from nst_jax.shell.reports import gallery, labels, sheet

WEIGHTS, SEEDS, POOLS = (100.0, 1e3, 1e4, 1e5), (0, 1, 2), ("avg", "max")


def made(folder, weights=WEIGHTS, seeds=SEEDS, pools=POOLS):
    """A sweep as the command leaves it, without the computing."""
    for i, (w, s, p) in enumerate(itertools.product(weights, seeds, pools)):
        job = folder / f"{i:012x}"
        job.mkdir(parents=True)
        swept = {"style_weight": w, "seed": s, "network.pool": p}
        told = {"output": {"file": "result.png"}, "content": str(pictures.path("landscape"))}
        (job / "config.yaml").write_text(json.dumps(told))
        shade = np.zeros((48, 64, 3), np.uint8)
        shade[..., 0], shade[..., 1] = 255 * weights.index(w) // len(weights), 255 * seeds.index(s) // len(seeds)
        shade[:, : 32 if p == "max" else 16, 2] = 255
        Image.fromarray(shade).save(job / "result.png")
        lines = [json.dumps({"step": n, "total": 1e6 / (n + 1) / w}) for n in range(0, 40, 10)]
        (job / "metrics.jsonl").write_text("\n".join(lines) + "\n")
        failed = (w, s, p) == (weights[-1], 0, "avg")
        row = {**swept, "status": "failed" if failed else "done", "total": w / 3, "path": job.name}
        row |= {"error": "step 7: the loss is not finite"} if failed else {}
        words = ["content=a photo.jpg", "style=b.jpg", f"style_weight={w:g}", f"seed={s}", f"network.pool={p}"]
        (job / "mark.json").write_text(json.dumps({"row": row, "swept": list(swept), "words": words}))
    return folder


def test_what_it_writes(tmp_path):
    page = gallery.build(made(tmp_path / "sweep"))
    assert page == tmp_path / "sweep" / "index.html"
    names = {p.name for p in page.parent.iterdir() if not p.is_dir()}
    assert names == {"index.html", "grid.png", "results.csv"}
    text = page.read_text()
    assert "http://" not in text
    assert "https://" not in text
    with Image.open(page.parent / "grid.png") as image:
        assert image.size[0] > 600
    assert len(list((page.parent / "thumbs").glob("*.webp"))) == 25
    before = {p: p.stat().st_mtime_ns for p in (page.parent / "thumbs").iterdir()}
    gallery.build(page.parent)
    assert {p: p.stat().st_mtime_ns for p in (page.parent / "thumbs").iterdir()} == before


def test_the_line_of_a_job_is_the_shorter_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = made(Path("s"), (100.0,), (0,), ("max",)) / f"{0:012x}"
    line = lambda: json.loads(re.search(r'"words":(\[.*?\])', gallery.build(Path("s")).read_text())[1])
    assert line()[0] == "content=a photo.jpg"  # there is no record that from= could read
    (job / "result.json").write_text("{}")
    assert line() == [f"from=s/{job.name}"]
    mark = json.loads((job / "mark.json").read_text()) | {"words": ["content=a"]}
    (job / "mark.json").write_text(json.dumps(mark))
    assert line() == ["content=a"]


def test_the_axes_of_the_sheet():
    rows = [{"a": 1, "b": x, "c": y, "d": z} for x in (1, 2) for y in (3, 4) for z in (5, 6)]
    assert sheet.axes(rows, ["a", "b", "c", "d"]) == ("b", "c", ["d"])
    assert sheet.axes(rows[:1], ["a", "b"]) == ("", "", [])


def test_the_sheet_has_a_panel_for_each_further_value(tmp_path):
    """Eight pictures, each of a shade of its own: all of them are on the sheet."""
    rows, pictures = [], {}
    for number, (a, b, c) in enumerate(itertools.product((1, 2), repeat=3)):
        pictures[str(number)] = tmp_path / f"{number}.png"
        Image.new("RGB", (8, 8), (0, 0, 30 * (number + 1))).save(pictures[str(number)])
        rows.append({"a": a, "b": b, "c": c, "path": str(number)})
    (page,) = sheet.draw(tmp_path, rows, ["a", "b", "c"], pictures, lambda _, value: str(value))
    with Image.open(page) as image:
        found = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or ()}
    assert {(0, 0, 30 * (n + 1)) for n in range(8)} <= found


def test_a_sheet_of_many_values_has_pages(tmp_path):
    picture = tmp_path / "0.png"
    Image.new("RGB", (8, 8)).save(picture)
    rows = [{"a": 1, "b": b, "c": c, "d": d, "path": "0"} for b in (1, 2) for c in (1, 2) for d in range(8)]
    pages = sheet.draw(tmp_path, rows, ["b", "c", "d"], {"0": picture}, lambda _, value: str(value))
    assert [page.name for page in pages] == ["grid.png", "grid_2.png"]


def test_layers_are_said_in_words():
    def config(content, *style, **weights):
        layers = {"content": {content: 1.0}, "style": dict.fromkeys(style, 0.2)}
        return {"layers": layers, "content_weight": 1.0, "style_weight": 1e3} | weights

    blocks = [f"relu{b}_1" for b in range(1, 6)]
    styles = {"nested_1": config("relu4_2", *blocks[:1]), "nested_3": config("relu4_2", *blocks[:3])}
    assert labels.values("layers", styles) == {"nested_1": "relu1_1", "nested_3": "relu1_1 ... relu3_1"}
    contents = {"deep": config("relu4_2", *blocks), "shallow": config("relu2_2", *blocks)}  # the style is the same
    assert labels.values("layers", contents) == {"deep": "relu4_2", "shallow": "relu2_2"}
    alone = {"content_relu4_2": config("relu4_2", *blocks, style_weight=0)}
    assert labels.values("layers", alone) == {"content_relu4_2": "relu4_2"}
    mixed = {"a": contents["deep"], "b": contents["shallow"], "c": config("relu4_2", *blocks[:2])}
    assert labels.values("layers", mixed) == {
        "a": "content relu4_2, style relu1_1 ... relu5_1",
        "b": "content relu2_2, style relu1_1 ... relu5_1",
        "c": "content relu4_2, style relu1_1 ... relu2_1",
    }
    ends = {"all": config("relu4_2", *blocks), "outer": config("relu4_2", blocks[0], blocks[4])}  # a span tells no more
    assert labels.values("layers", ends) == {"all": "all", "outer": "outer"}
    assert labels.name("style_weight") == "style weight (beta)"
    assert labels.value("content", "a/b/photo.jpg") == "photo"


def test_the_command_itself(tmp_path, monkeypatch, capsys):
    for words, code in (([], 2), (["--help"], 0), ([str(tmp_path)], 2), ([str(tmp_path / "none")], 2)):
        monkeypatch.setattr(sys, "argv", ["nst-gallery", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == code
    monkeypatch.setattr(sys, "argv", ["nst-gallery", str(made(tmp_path / "sweep"))])
    main()
    assert "index.html" in capsys.readouterr().out


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if browser.found() is None:
        pytest.skip("no Chromium is installed: the page is not tested")
    where = gallery.build(made(tmp_path_factory.mktemp("page") / "sweep"))
    opened = browser.Browser()
    opened.open(where)
    yield opened
    opened.close()


def shoot(page, name):
    """A screenshot to look at, where NST_SCREENSHOTS says so."""
    if folder := os.environ.get("NST_SCREENSHOTS"):
        page.screenshot(Path(folder) / f"{name}.png")


def headings(page):
    return page.js("[...document.querySelectorAll('thead th')].slice(1).map(e => e.textContent)")


def cells(page):
    return page.js("[...document.querySelectorAll('td[data-cell]')].map(e => +e.dataset.cell)")


def choose(page, select, value):
    element = f"document.getElementById('{select}')"
    page.js(f"(s => {{ s.value = '{value}'; s.dispatchEvent(new Event('change')); }})({element})")


def what(page):
    return page.js("document.getElementById('what').textContent")


def test_the_grid_and_its_axes(page):
    assert headings(page) == ["100", "1000", "10000", "100000"]
    assert len(cells(page)) == 12
    shoot(page, "grid")
    choose(page, "down", "network.pool")
    assert len(cells(page)) == 8
    choose(page, "across", "network.pool")
    assert headings(page) == ["avg", "max"]
    assert len(cells(page)) == 8
    page.click("#swap")
    assert headings(page) == ["100", "1000", "10000", "100000"]
    choose(page, "down", "")
    assert len(cells(page)) == 4
    assert page.js("document.querySelectorAll('#filters input').length") == 2
    choose(page, "down", "seed")


def test_the_slider_of_another_key(page):
    before = cells(page)
    page.js("(s => { s.value = 1; s.dispatchEvent(new Event('input')); })(document.querySelector('#filters input'))")
    after = cells(page)
    assert len(after) == len(before) == 12
    assert not set(after) & set(before)
    page.js("(s => { s.value = 0; s.dispatchEvent(new Event('input')); })(document.querySelector('#filters input'))")


def test_a_failed_job_says_why(page):
    assert "not finite" in page.js("document.querySelector('.failed').textContent")


def test_a_picture_enlarges_and_the_arrow_keys_flick(page):
    page.click("td[data-cell] button")
    assert page.js("document.getElementById('large').open")
    assert what(page) == "style weight (beta) = 100,  seed = 0,  pooling = avg"
    page.js("document.getElementById('after').decode()")
    assert page.js("document.getElementById('after').naturalWidth") == 64
    assert page.js("document.getElementById('after').getBoundingClientRect().width") > 300
    page.key("ArrowRight")
    assert what(page).startswith("style weight (beta) = 1000,  seed = 0")
    page.key("ArrowDown")
    assert what(page).startswith("style weight (beta) = 1000,  seed = 1")
    page.key("ArrowLeft")
    page.key("ArrowLeft")
    assert what(page).startswith("style weight (beta) = 100,  seed = 1")
    choose(page, "along", "network.pool")
    page.key("ArrowRight")
    assert what(page).endswith("pooling = max")
    assert page.js("document.querySelectorAll('#curve polyline').length") == 2
    assert page.js("document.getElementById('folder').getAttribute('href')").endswith("/")
    shoot(page, "large")


def test_before_and_after(page):
    page.js("document.getElementById('before').decode()")
    page.js("(s => { s.value = 40; s.dispatchEvent(new Event('input')); })(document.getElementById('wipe'))")
    assert page.js("getComputedStyle(document.getElementById('before')).clipPath") == "inset(0px 60% 0px 0px)"
    shoot(page, "before_after")


def test_the_command_is_copied(page):
    page.js("window.heard = []; document.addEventListener('copy', () => heard.push(String(getSelection())))")
    page.js("(async () => { navigator.clipboard.writeText = async t => { heard.push(t); }; })()")
    page.click("#copy")
    deadline = time.monotonic() + 30
    while page.js("document.getElementById('copy').textContent") != "copied" and time.monotonic() < deadline:
        time.sleep(0.05)
    expected = "nst 'content=a photo.jpg' style=b.jpg style_weight=100 seed=1 network.pool=max"
    assert page.js("heard") == [expected]
    page.key("Escape")
    assert not page.js("document.getElementById('large').open")


def test_on_a_phone(page):
    page.size(390, 800)
    page.js("document.querySelector('td[data-cell] button').click()")
    assert page.js("document.documentElement.scrollWidth") <= 390
    assert page.js("document.getElementById('after').getBoundingClientRect().width") > 300
    shoot(page, "phone_large")
    page.key("Escape")
    shoot(page, "phone_grid")
    page.size(1200, 800)


def test_no_complaints(page):
    assert page.complaints() == []


@pytest.mark.slow
def test_five_hundred_pictures_stay_quick(tmp_path):
    if browser.found() is None:
        pytest.skip("no Chromium is installed: the page is not tested")
    weights = tuple(float(w) for w in range(1, 26))
    where = gallery.build(made(tmp_path / "sweep", weights, tuple(range(10)), POOLS))
    assert where.stat().st_size < 1_000_000
    opened = browser.Browser()
    try:
        opened.open(where)
        began = "const began = performance.now();"
        switch = "const s = document.getElementById('down'); s.value = ''; s.dispatchEvent(new Event('change'));"
        back = "s.value = 'seed'; s.dispatchEvent(new Event('change')); document.body.offsetHeight;"
        assert opened.js(f"(() => {{ {began} {switch} {back} return performance.now() - began; }})()") < 1000
        assert opened.js("document.querySelectorAll('td img').length") == 250
        assert opened.js("[...document.querySelectorAll('td img')].every(i => i.loading === 'lazy')")
    finally:
        opened.close()
