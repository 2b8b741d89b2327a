"""One image by rows on four devices that the machine pretends to have: equal to one device, and nothing is gathered.

The numbers come of `on_devices.py`, in processes of their own: jax counts its devices once.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nst_jax.losses.term import Aim
from nst_jax.methods.transfer import Kept, Problem
from nst_jax.nn import rows
from nst_jax.parallel import layout

ROOT = Path(__file__).parents[1]
FOUR = "--xla_force_host_platform_device_count=4"


@functools.cache
def computed(*parts):
    """What `on_devices.py` prints. It compiles as the test does that asks first."""
    own = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {FOUR}", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, str(ROOT / "tests/on_devices.py"), *parts]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | own)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_run_by_rows_is_the_run_on_one_device():
    for name, found in computed("numbers")["numbers"].items():
        assert found["value"] < 1e-5, name
        assert found["gradient"] < 1e-4, name
        assert found["image"] < 1e-4 < 0.01 < found["moved"], name


@pytest.mark.slow
def test_what_lies_by_rows_stays_so():
    """Of arrays as large as the image: cut by rows where the devices divide them, and L-BFGS's memories by pixels."""
    found = {name: one["spread"] for name, one in computed("numbers")["numbers"].items()}
    assert found["adam"] == ["P('rows',)"]
    assert found["lbfgs"] == ["P('rows',)", "P(None, 'rows')"]
    assert found["50"] == ["P()"]
    assert found["50 of 3"] == ["P()", "P(None, 'rows')"]


@pytest.mark.slow
def test_lanes_and_rows_together():
    for name, found in computed("grids")["grids"].items():
        assert found["image"] < 1e-4, name
        assert found["values"] < 1e-4, name
        assert found["collective-permute"] > 0, name
        assert not found["gathered"], name


@pytest.mark.slow
@pytest.mark.optimised
def test_seams_are_exchanged_and_activations_never_gathered():
    for name, found in computed("texts", "memory")["texts"].items():
        assert found["collective-permute"] >= 20, name
        assert found["all-reduce"] >= 2, name  # Gram matrices
        if name.endswith("90"):  # 4 devices do not divide 90 rows: what is as large as the image is whole on each
            filled = found["image_size"] * 92 // 90
            assert found["gathered"], name
            assert max(found["gathered"]) <= filled, name
        else:
            assert not found["gathered"], name


@pytest.mark.slow
@pytest.mark.optimised
def test_a_device_needs_less_memory():
    found = computed("texts", "memory")["memory"]
    assert found["2"] < 0.6 * found["1"]
    assert found["4"] < 0.6 * found["2"]


def test_without_a_mesh_nothing_changes():
    x = jnp.ones((5, 4, 3))
    assert rows.devices() == 1
    assert rows.split(x, axis=0) is x
    assert rows.fill(x, axis=0, by=2) is x
    with layout.within(layout.make_mesh(lanes=1, rows=1)):
        assert rows.fill(rows.split(x, axis=0), axis=0, by=2) is x


def mesh_of_four():
    """A mesh of more devices than there are: enough to say where arrays would lie."""
    return jax.sharding.AbstractMesh((2, 4), ("lanes", "rows"), axis_types=(jax.sharding.AxisType.Auto,) * 2)


def test_which_leaves_lie_by_rows():
    """Aims by their own rows, what is kept by the image's; weights, parameters and Gram matrices are whole."""
    image, square = jnp.zeros((8, 8, 3)), jnp.zeros((8, 8))
    aims = {"a": Aim(jnp.zeros((4, 4, 6))), "b": Aim(jnp.zeros((6, 2, 6)), jnp.zeros((8, 8, 3)))}
    problem = Problem({"lift": square}, aims, {"a": jnp.zeros(2)}, {}, Kept(square, image))
    axes = tuple(0 if leaf is problem.weights["a"] else None for leaf in jax.tree.leaves(problem))
    found = layout.of_problem(mesh_of_four(), problem, image=(8, 8), axes=axes)
    specs = jax.tree.map(lambda place: place.spec, found)
    by_rows, whole = jax.sharding.PartitionSpec("rows"), jax.sharding.PartitionSpec()
    assert specs.aims["a"].local == by_rows
    assert specs.aims["b"] == Aim(whole, whole)  # 4 devices do not divide 6 rows
    assert tuple(specs.kept) == (by_rows, by_rows)
    assert specs.params["lift"] == whole
    assert specs.weights["a"] == jax.sharding.PartitionSpec("lanes")


def test_a_mesh_of_other_axes_is_refused():
    other = jax.make_mesh((1,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    with pytest.raises(ValueError, match="the axes of a mesh are lanes and rows"):
        layout.lanes_of(other)


def test_rows_are_filled_up_with_zeros():
    with jax.sharding.use_abstract_mesh(mesh_of_four()):
        filled = jax.eval_shape(lambda x: rows.fill(x, axis=1, by=2), jnp.zeros((1, 9, 4, 3)))
        same = jax.eval_shape(lambda x: rows.fill(x, axis=1, by=2), jnp.zeros((1, 16, 4, 3)))
    assert filled.shape == (1, 16, 4, 3)
    assert same.shape == (1, 16, 4, 3)
    np.testing.assert_equal(rows.devices(), 1)
