"""`device.tiles`: the same picture in tiles, and the choice between tiles and the whole image."""

import re

import jax
import numpy as np
import pytest

from nst_jax import pictures
from nst_jax.extractors import architecture
from nst_jax.shell.running import plan
from nst_jax.shell.running.plan import Seen

PAIR = (f"content={pictures.path('landscape')}", f"style={pictures.path('brush')}")
LINE = (*PAIR, "network=distilled", "optimiser=adam", "size=200", "steps=3", "layers=nested_2_of_3")
SKY = f"regions.sky={{content: {pictures.path('landscape_sky')}, style: {pictures.path('mosaic')}}}"


def close(one, other):
    """Of pictures of 8 bits: hardly a number differs, and none by more than one."""
    difference = np.abs(one.image - other.image)
    return difference.max() < 1.5 / 255 and (difference > 0).mean() < 0.01


@pytest.mark.parametrize("words", [(), (SKY,), ("scale=multi", "scale.from=100"), ("optimiser=lbfgs",)])
def test_tiles_give_the_picture_of_the_whole(run_line, words):
    whole, tiles = run_line(*LINE, *words, "device.tiles=none"), run_line(*LINE, *words, "device.tiles=64")
    assert close(whole, tiles)
    assert tiles.record["tiles"] == 64
    assert "tiles" not in whole.record
    assert re.search(r"plan: \d+ tiles of 64 pixels", tiles.text)


def test_an_image_of_one_tile_is_computed_whole(run_line):
    found = run_line(*LINE, "device.tiles=512")
    assert "plan: whole, since one tile holds the image" in found.text
    assert "tiles" not in found.record


def test_lanes_in_tiles(nst, tmp_path, run_line):
    code, text = nst("-m", *LINE, "device.tiles=64", "style_weight=1e2,1e4", "sweep.folder=here")
    assert code == 0, text
    assert len(list((tmp_path / "here").glob("*/result.png"))) == 2


def test_a_seamless_texture_in_tiles(run_line):
    line = (f"texture={pictures.path('brick')}", "network=distilled", "size=192", "steps=2", "optimiser=adam")
    line += ("pattern.shifts=0", "layers=nested_2_of_3", "~layers.content.relu3_3")
    whole, tiles = run_line(*line, "device.tiles=none"), run_line(*line, "device.tiles=64")
    assert close(whole, tiles)


def test_what_does_not_fit_is_computed_in_tiles_and_it_says_so(run_line, monkeypatch):
    whole = run_line(*LINE)
    assert "plan" not in whole.text
    monkeypatch.setattr(plan, "free_memory", lambda: 12 * 2**20)
    monkeypatch.setattr(plan, "SIDES", (96, 64, 32))
    tiles = run_line(*LINE)
    assert re.search(r"plan: tiles of \d+ pixels, about \d+ MiB; the whole image would take about", tiles.text)
    assert tiles.record["tiles"] in (96, 64, 32)
    assert close(whole, tiles)
    assert "tiles" not in run_line(*LINE, "device.tiles=none").record


def test_several_devices_share_the_memory_of_the_whole(run_line, monkeypatch):
    whole, known = (plan_of(run_line, monkeypatch, devices=devices, room=1) for devices in (1, 4))
    share = int(re.search(r"the whole image would take about (\d+) MiB", whole).group(1)) / 4
    assert abs(int(re.search(r"each of 4 devices would take about (\d+) MiB", known).group(1)) - share) <= 1
    assert "plan" not in plan_of(run_line, monkeypatch, devices=4, room=int(share * 1.5))


def plan_of(run_line, monkeypatch, *, devices, room):
    """What a run says, which has so many devices by rows and so many MiB on each."""
    monkeypatch.setattr(plan, "mesh_sides", lambda mesh, **_: (1, devices))
    monkeypatch.setattr(plan, "free_memory", lambda: room * 2**20)
    return run_line(*LINE).text


def test_terms_that_need_all_positions_are_named(nst, run_line, monkeypatch):
    words = ("convention=sliced_wasserstein", "tv_weight=0")
    code, text = nst(*LINE, *words, "device.tiles=64")
    assert code in (1, 2)
    assert re.search(r"style/relu1_1, style/relu2_1 need all positions at once", text)
    assert "device.tiles=none" in text
    monkeypatch.setattr(plan, "free_memory", lambda: 2**20)
    found = run_line(*LINE, *words)
    assert "plan: whole, though the whole image would take about" in found.text
    assert "need all positions at once" in found.text
    small = run_line(*LINE)
    assert "the smallest tile, of 256 pixels, holds the image" in small.text


@pytest.mark.parametrize("tiles", ["8", "big", "-1", "100.5", "true"])
def test_tiles_that_are_none_are_refused(nst, tiles):
    code, text = nst(*LINE, f"device.tiles={tiles}")
    assert code == 2
    assert "device.tiles must be auto, none, or a number of pixels, at least 16" in text


def test_a_dry_run_has_a_table_of_plans(nst, monkeypatch):
    monkeypatch.setattr(plan, "SIDES", (64,))
    code, text = nst(*LINE, "dry_run=true")
    assert code == 0, text
    assert re.search(r"plan, whole: about \d+ MiB, 1 x the time", text)
    assert re.search(r"plan, tiles of 64: about \d+ MiB, \d\.\d x the time", text)


def test_the_model_grows_with_the_pixels_and_falls_with_the_tiles():
    arch = architecture("distilled")
    net = arch.tap({"relu3_1", "relu1_1"}, pool="max", rounding="floor", padding="zero", checkpoint=False)
    params = jax.eval_shape(arch.random, jax.random.key(0))
    small, large = (plan.intermediates(net, params, height=n, width=n) for n in (256, 512))
    assert large == pytest.approx(4 * small, rel=1e-3)
    found = plan.ways(Seen(arch, net, params, "floor", "zero", 2000, 3000), memory=0)
    memories, works = [way.memory for way in found], [way.work for way in found]
    assert memories == sorted(memories, reverse=True)
    assert works[0] == 1
    assert all(work > 4 / 3 for work in works[1:])  # forward twice, backward once, and the margins
