"""The program of a group: its memory is counted once, its width follows from it."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import nst_jax as nst
from nst_jax.losses.term import Blend
from nst_jax.methods.transfer import Problem, Spec
from nst_jax.optim.solvers import lbfgs
from nst_jax.shell.running import program
from nst_jax.shell.running.cost import Way
from nst_jax.shell.running.job import Job, Output, Plan
from nst_jax.shell.running.plan import Choice
from nst_jax.shell.settings.scale import Stage

NOT_SEEN: Any = None


@pytest.fixture(scope="module")
def jobs():
    arch = nst.architecture("texnet")
    net = arch.tap(("relu1_1", "relu1_2"), pool="avg", rounding="floor", padding="zero")
    params, key = arch.random(jax.random.key(0)), jax.random.key(1)
    content, style = (jax.random.uniform(k, (32, 32, 3)) for k in jax.random.split(key))
    convention = nst.CONVENTIONS["gatys_released"]
    terms = convention.terms(("relu1_2",), ("relu1_1",))
    aims = nst.aims(net, terms, params, {"content": content, "style": style}, pixels=1024)
    spec = Spec(net, terms, lbfgs, (("memory", 100), ("evaluations", 5)))
    output, plan = Output("result.png", 92, None, 100, None), Plan(4, 0, 0, Stage(0, 1, 1.0, 0, 4))

    def job(weight):
        weights = {"content/relu1_2": jnp.float32(1), "style/relu1_1": jnp.float32(weight)}
        return Job(
            spec,
            Choice(Way(spec.network, None, False, 0.0, 1.0), NOT_SEEN, lambda way: None),
            Problem(params, aims, weights, {}),
            content,
            content,
            Blend((style,), jnp.ones(1)),
            None,
            None,
            plan,
            output,
            {},
            {},
        )

    return [job(10.0**n) for n in range(6)]


def test_a_donated_state_counts_once(jobs):
    """The memory of L-BFGS, 200 images, is argument and result: it is one piece of memory."""
    made = program.compile_program(jobs[:1], most=1, share=1.0, log=print)
    state = 200 * jobs[0].start.nbytes
    known = made.advance.memory_analysis()
    assert known.alias_size_in_bytes >= state
    twice = known.argument_size_in_bytes + known.output_size_in_bytes + known.temp_size_in_bytes
    assert made.bytes < twice - 0.9 * state


def test_a_program_is_as_wide_as_its_memory_allows(jobs, monkeypatch):
    one = program.compile_program(jobs[:1], most=1, share=1.0, log=print).bytes
    monkeypatch.setattr(program, "free_memory", lambda: 4 * one)
    made = program.compile_program(jobs, most=None, share=1.0, log=print)
    assert made.width in (2, 3)
    assert made.bytes <= 4 * one
    assert program.compile_program(jobs, most=2, share=1.0, log=print).width == 2
