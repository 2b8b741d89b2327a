"""Where the processor's time goes in the tests: a plugin of pytest.

    PYTEST_ADDOPTS="-p benchmarks.suite" make test

prints the seconds of all workers at the end. Compilation uses threads, whose time is the tests' own as well.
"""

import gc
import resource
import time
from collections import defaultdict
from collections.abc import Mapping

import pytest

EVENTS = {  # of jax.monitoring, by the last part of their name
    "backend_compile_duration": "compilation by XLA",
    "jaxpr_trace_duration": "tracing",
    "jaxpr_to_mlir_module_duration": "lowering to XLA's language",
}
found: defaultdict[str, float] = defaultdict(float)  # of this process
total: defaultdict[str, float] = defaultdict(float)  # of all workers
began = [0.0]


def listen(event: str, duration_secs: float, **_: object) -> None:
    """Count what jax says of itself."""
    if (kind := EVENTS.get(event.rpartition("/")[2])) is not None:
        found[kind] += duration_secs


def collect(phase: str, _: object) -> None:
    """Count the time of the garbage collector."""
    if phase == "start":
        began[0] = time.perf_counter()
    else:
        found["garbage collection"] += time.perf_counter() - began[0]


def spent(who: int) -> float:
    """Processor seconds of this process, or of its children that have ended."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def add(costs: Mapping[str, float]) -> None:
    """Add the numbers of one process."""
    for name, seconds in costs.items():
        total[name] += seconds


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Begin to count, once the tests have set jax up."""
    import jax.monitoring

    jax.monitoring.register_event_duration_secs_listener(listen)
    gc.callbacks.append(collect)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the numbers of this process to the one that prints."""
    found["the tests' own processes"] = spent(resource.RUSAGE_SELF)
    found["processes that tests start"] = spent(resource.RUSAGE_CHILDREN)
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["costs"] = dict(found)
    elif not total:
        add(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Add the numbers of a worker that has ended."""
    add(getattr(node, "workeroutput", {}).get("costs", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    terminalreporter.section("processor time, s")
    for name, seconds in sorted(total.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{seconds:8.1f}  {name}")
