"""`device.tiles`: the same picture in tiles, and the choice between tiles and the whole image."""

import csv
import re

import jax
import numpy as np
import pytest
from PIL import Image

from nst_jax import pictures
from nst_jax.extractors import architecture
from nst_jax.shell.running import cost, dry, lane, plan, program
from nst_jax.shell.running.cost import Seen

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
    assert re.search(r"plan: \d+ tiles of 64, about", tiles.text)
    assert re.search(r"plan: whole, about \d+ MiB of", whole.text)


def test_an_image_of_one_tile_is_computed_whole(run_line):
    found = run_line(*LINE, "device.tiles=512")
    assert re.search("plan: whole, .*; one tile holds the image", found.text)
    assert "tiles" not in found.record


def test_lanes_in_tiles_and_their_metrics(nst, tmp_path):
    found = {}
    for tiles in ("none", "64"):
        line = (f"device.tiles={tiles}", "style_weight=1e2,1e4", f"sweep.folder={tiles}")
        code, text = nst("-m", *LINE, *line)
        assert code == 0, text
        with (tmp_path / tiles / "results.csv").open() as file:
            found[tiles] = list(csv.DictReader(file))
    assert len(found["64"]) == 2
    for whole, tiled in zip(*found.values(), strict=True):
        for key in ("style_distance", "style_distance_relu1_1", "judge_distance", "ssim_content"):
            assert float(tiled[key]) == pytest.approx(float(whole[key]), rel=2e-3)


def test_strokes_are_painted_in_tiles(run_line):
    words = (f"strokes.style={pictures.path('ink')}", "strokes.steps=2", "strokes.to=relu2_1")
    whole, tiles = run_line(*LINE, *words, "device.tiles=none"), run_line(*LINE, *words, "device.tiles=64")
    assert re.search(r"strokes: plan: \d+ tiles of 64", tiles.text)
    assert close(whole, tiles)


def test_a_seamless_texture_in_tiles(run_line):
    line = (f"texture={pictures.path('brick')}", "network=distilled", "size=192", "steps=2", "optimiser=adam")
    line += ("pattern.shifts=0", "layers=nested_2_of_3", "~layers.content.relu3_3")
    whole, tiles = run_line(*line, "device.tiles=none"), run_line(*line, "device.tiles=64")
    assert close(whole, tiles)


def test_what_does_not_fit_is_computed_in_tiles_and_it_says_so(run_line, monkeypatch):
    whole = run_line(*LINE)
    assert "plan: whole" in whole.text
    monkeypatch.setattr(plan, "free_memory", lambda: 12 * 2**20)
    monkeypatch.setattr(cost, "SIDES", (96, 64, 32))
    tiles = run_line(*LINE)
    assert re.search(r"plan: \d+ tiles of \d+, about \d+ MiB of 12 MiB free; whole: about \d+ MiB", tiles.text)
    assert tiles.record["tiles"] in (96, 64, 32)
    assert close(whole, tiles)
    assert "tiles" not in run_line(*LINE, "device.tiles=none").record


def test_several_devices_share_the_memory_of_the_whole(run_line, monkeypatch):
    whole, known = (plan_of(run_line, monkeypatch, devices=devices, room=10**4) for devices in (1, 4))
    share = int(re.search(r"plan: whole, about (\d+) MiB of 9.8 GiB free\n", whole).group(1)) / 4
    found = int(re.search(r"plan: whole, about (\d+) MiB of 9.8 GiB free, on each of 4 devices\n", known).group(1))
    assert abs(found - share) <= 1


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
    assert re.search(r"plan: whole, about \d+ MiB of 1 MiB free; style/relu1_1, .*need all positions", found.text)
    small = run_line(*LINE)
    assert "the smallest tile, of 256 pixels, holds the image" in small.text


@pytest.mark.parametrize("tiles", ["8", "big", "-1", "100.5", "true"])
def test_tiles_that_are_none_are_refused(nst, tiles):
    code, text = nst(*LINE, f"device.tiles={tiles}")
    assert code == 2
    assert "device.tiles must be auto, none, or a number of pixels, at least 16" in text


def test_a_dry_run_has_a_table_of_plans(nst, monkeypatch):
    monkeypatch.setattr(cost, "SIDES", (64,))
    code, text = nst(*LINE, "dry_run=true")
    assert code == 0, text
    assert re.search(r"plan +memory +a step +the run\n", text)
    assert re.search(r"whole +\d+ MiB +\S+ s +\S+ s  <- taken\n", text)
    assert re.search(r"tiles of 64 +\d+ MiB +\S+ s +\S+ s\n", text)
    whole, tiles = (float(re.search(rf"{name} +\d+ MiB +(\S+) s", text).group(1)) for name in ("whole", "tiles of 64"))
    assert tiles > 4 / 3 * whole * 0.9  # of numbers with two digits
    for words, taken in (("device.tiles=64", "tiles of 64"), ("device.tiles=80", "tiles of 80")):
        code, text = nst(*LINE, "dry_run=true", words)
        assert re.search(rf"\n{taken} .*<- taken\n", text)
        assert text.count("<- taken") == 1
    code, text = nst(*LINE, "dry_run=true", "device.checkpoint=true")
    assert re.search(r"\ncheckpointed .*<- taken\n", text)


def test_off_the_cpu_the_table_has_checkpoints_and_half_the_precision(nst, monkeypatch):
    for module in (cost, plan, dry):
        monkeypatch.setattr(module, "on_cpu", lambda: False)
    code, text = nst(*LINE, "dry_run=true")
    assert code == 0, text
    names = ("whole", "checkpointed", "whole, device.precision=bfloat16")
    whole, kept, half = (int(re.search(rf"\n{name} +(\d+) MiB", text).group(1)) for name in names)
    assert half < kept < whole


def test_a_job_is_measured_as_its_program_computes_it(nst, monkeypatch, tmp_path):
    """Not as the plan had thought: the metrics of a sweep are in tiles where the program is."""
    monkeypatch.setattr(cost, "SIDES", (64,))
    monkeypatch.setattr(program, "bytes_of", lambda made: 2**50)
    asked, moments = [], lane._moments
    monkeypatch.setattr(lane, "_moments", lambda *given: asked.append(given[3]) or moments(*given))
    code, text = nst("-m", *LINE, "style_weight=1e2", "sweep.folder=here")
    assert code == 0, text
    assert [tiles.side for tiles in asked] == [64]


def test_what_the_compiler_finds_too_large_is_compiled_in_tiles(run_line, monkeypatch):
    whole = run_line(*LINE)
    monkeypatch.setattr(cost, "SIDES", (64,))
    monkeypatch.setattr(program, "bytes_of", lambda made: 2**50)
    tiles = run_line(*LINE)
    assert "plan: whole, about" in tiles.text  # by the model it fits
    assert re.search(r"plan: whole needs .* by the compiler; compiles tiles of 64\n", tiles.text)
    assert tiles.record["tiles"] == 64
    assert close(whole, tiles)
    assert "tiles" not in run_line(*LINE, "device.tiles=none").record  # as it is asked for, whatever it needs


def test_checkpoints_are_the_second_choice_off_the_cpu(monkeypatch, nst, run_line):
    """The way is taken and computes the same picture; which device it is, is feigned."""
    whole = run_line(*LINE)
    monkeypatch.setattr(cost, "on_cpu", lambda: False)
    monkeypatch.setattr(plan, "on_cpu", lambda: False)
    need = int(re.search(r"plan: whole, about (\d+) MiB", whole.text).group(1))
    monkeypatch.setattr(plan, "free_memory", lambda: int(need / plan.SHARE * 0.9 * 2**20))
    found = run_line(*LINE)
    assert re.search(r"plan: checkpointed, about .*; whole: about", found.text)
    assert close(whole, found)
    assert "checkpointed" not in run_line(*LINE, "device.checkpoint=false", "device.tiles=none").text
    again = run_line(*LINE, "device.checkpoint=true")
    assert "plan: checkpointed" in again.text


def test_the_model_grows_with_the_pixels_and_falls_with_the_tiles():
    arch = architecture("distilled")
    net = arch.tap({"relu3_1", "relu1_1"}, pool="max", rounding="floor", padding="zero", checkpoint=False)
    params = jax.eval_shape(arch.random, jax.random.key(0))
    small, large = (cost.intermediates(net, params, height=n, width=n) for n in (256, 512))
    assert large == pytest.approx(4 * small, rel=1e-3)
    seen = Seen(arch, lambda checkpoint: net, params, "floor", "zero", 2000, 3000, 0, ())
    found = [cost.whole_way(seen), *cost.lesser_ways(seen, checkpoint=False, tiles=True)]
    aimed = cost.whole_way(seen._replace(kept=("relu1_1",))).memory - found[0].memory
    assert aimed == 4 * 2000 * 3000 * arch.shapes(net, height=8, width=8)["relu1_1"][2]
    memories, works = [way.memory for way in found], [way.work for way in found]
    assert memories == sorted(memories, reverse=True)
    assert works[0] == 1
    assert all(work > 4 / 3 for work in works[1:])  # forward twice, backward once, and the margins


@pytest.mark.slow
def test_all_at_once(nst, tmp_path):
    """From coarse to fine, in tiles, with a region, two styles, a mean of the iterates, and two lanes."""
    styles = f"style=[{pictures.path('brush')},{pictures.path('mosaic')}]"
    line = (PAIR[0], styles, *LINE[2:], "style_blend=[0.6,0.4]", "scale=multi", "scale.from=141", "average=0.5")
    found = []
    for tiles in ("none", "64"):
        code, text = nst("-m", *line, f"device.tiles={tiles}", "style_weight=1e2,1e4", f"sweep.folder={tiles}")
        assert code == 0, text
        found.append([read(path) for path in sorted((tmp_path / tiles).glob("*/result.png"))])
    assert len(found[0]) == 2
    for whole, tiled in zip(*found, strict=True):
        difference = np.abs(whole - tiled)
        assert (difference > 2).mean() < 1e-3  # Adam's first steps follow the sign of a gradient that may be near 0
        assert (difference > 0).mean() < 0.1


def read(path):
    """The picture in levels of 8 bits."""
    with Image.open(path) as image:
        return np.asarray(image).astype(int)
