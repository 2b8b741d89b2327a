"""The materials of a distillation: the teacher, the pictures, and the input of each step.

A step's input depends on the seed and its number alone, so that a resumed training equals an uninterrupted one.
"""

import logging
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nst_jax.extractors import MODULES, architecture
from nst_jax.methods.distillation import student
from nst_jax.methods.distillation.student import RELUS, Teacher
from nst_jax.methods.distillation.training import Fresh
from nst_jax.shell.io import weights
from nst_jax.shell.names import find
from nst_jax.shell.training.config import Config
from nst_jax.shell.training.pictures import Pictures, load
from nst_jax.shell.training.views import crops, views

LOG = logging.getLogger(__name__)
AT_ONCE = 8  # pieces that are fitted to in one batch


class Made(NamedTuple):
    """The parts of a training before its first step."""

    config: Config
    source: weights.NetworkParams
    teacher: Teacher
    pictures: Pictures


def make(config: Config) -> Made:
    """Load the teacher and the pictures."""
    network = find(architecture, MODULES, config.teacher, "teacher")
    w = config.weights
    source = weights.load(
        w.source,
        network=config.teacher,
        needed=network.needs(RELUS),
        path=w.path,
        mirror=w.mirror,
        seed=w.seed,
        preprocessing=w.preprocessing,
        log=LOG.info,
    )
    LOG.info("teacher: %s", source.source)
    params = network.ready(source.params, convolution="auto", dtype="float32")
    tapped = network.tap(RELUS, pool="max", rounding="floor", padding="zero")
    sides = {"side": config.side, "largest": config.largest}
    pictures = load(folders(config), **sides, held_out=config.held_out, log=LOG.warning)
    sizes = jax.jit(student.measure_sizes, static_argnums=0)(tapped, params, sample(config, pictures, count=1)[0])
    return Made(config, source, Teacher(tapped, params, sizes), pictures)


def folders(config: Config) -> list[str]:
    """The folders of pictures."""
    return [str(folder) for folder in (config.data if isinstance(config.data, list) else [config.data])]


def sample(config: Config, pictures: Pictures, *, count: int) -> list[jax.Array]:
    """Batches of pieces to fit to."""
    rng = np.random.default_rng((config.seed, 0))
    return [jnp.asarray(views(rng, pictures.train, side=config.side, count=AT_ONCE)) for _ in range(count)]


def fresh(config: Config, pictures: Pictures, *, number: int) -> Fresh:
    """The input of step `number`."""
    rng = np.random.default_rng((config.seed, 1, number))
    side, n = config.side, config.transfers
    content, style = (crops(rng, pictures.train, side=side, count=n) for _ in range(2))
    share = rng.choice([0.0, 0.05, 0.5, 1.0], size=(n, 1, 1, 1))  # of noise, in what a transfer begins with
    start = (1 - share) * content + share * rng.random(content.shape)
    balance = 10 ** rng.uniform(-2.5, 0.5, n)
    seen = views(rng, pictures.train, side=side, count=config.batch)
    return Fresh(*(jnp.asarray(a, jnp.float32) for a in (seen, start, content, style, balance)))
