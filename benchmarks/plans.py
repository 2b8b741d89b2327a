"""What the compiler says a value and gradient needs, in parts of all that the network computes on the way forward.

python -m benchmarks.plans --networks distilled vgg16 vgg19 --sizes 256 512 1024

It is the number PART of nst_jax/shell/running/cost.py. Nothing is run. Networks that lack VGG's layers are tapped at
five that are evenly spaced.
"""

import argparse
from functools import partial

import jax
import jax.numpy as jnp

import nst_jax as nst
from benchmarks.interleaved import machine, table
from nst_jax.extractors import architecture
from nst_jax.extractors.base import pick_evenly
from nst_jax.methods import transfer
from nst_jax.optim.solvers import adam
from nst_jax.shell.running.cost import intermediates

CONTENT, STYLE = ("relu4_2",), ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def measure(network: str, size: int) -> tuple[float, float]:
    """Working memory and intermediates, in MiB."""
    arch = architecture(network)
    style = STYLE if set(STYLE) <= set(arch.layers) else pick_evenly(arch.choices, count=5)
    content = CONTENT if set(CONTENT) <= set(arch.layers) else style[-2:-1]
    terms = nst.CONVENTIONS["gatys_released"].terms(content, style)
    net = arch.tap({*content, *style}, pool=arch.pool, rounding=arch.rounding, padding="zero", checkpoint=False)
    prepare = partial(arch.prepare, convolution="auto", dtype="float32")
    params = jax.eval_shape(prepare, jax.eval_shape(arch.random, jax.random.key(0)))
    image, number = jax.ShapeDtypeStruct((size, size, 3), jnp.float32), jax.ShapeDtypeStruct((), jnp.float32)
    find = partial(transfer.aims, net, terms, pixels=size**2)
    aims = jax.eval_shape(find, params, {"content": image, "style": image})
    spec = nst.Spec(net, terms, adam, (("clamp", True),))
    problem = nst.Problem(params, aims, {term.name: number for term in terms}, {})
    both = jax.jit(lambda p, x: jax.value_and_grad(partial(transfer.objective, spec, p))(x))
    memory = both.lower(problem, image).compile().memory_analysis()
    assert memory is not None, "the compiler does not say"
    return memory.temp_size_in_bytes / 2**20, intermediates(net, params, height=size, width=size) / 2**20


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--networks", nargs="+", default=["distilled", "vgg19"])
    words.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    given = words.parse_args()
    rows = []
    for network in given.networks:
        for size in given.sizes:
            temporaries, all_of = measure(network, size)
            rows.append([network, f"{size} x {size}", temporaries, all_of, temporaries / all_of])
    columns = ["network", "size", "working memory, MiB", "intermediates, MiB", "part"]
    print(f"{machine()}\n\n" + table(columns, rows))


if __name__ == "__main__":
    main()
