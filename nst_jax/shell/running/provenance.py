"""The origin of a result: settings, weights, versions, device, commit."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nst_jax

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "pillow", "hydra-core")


def versions() -> dict[str, str]:
    """The versions of the packages that the numbers depend on."""
    found = {"nst_jax": nst_jax.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str | None:
    """The git commit of the source in use, with a final `+` if files differ, or None outside a checkout."""
    source = Path(nst_jax.__file__).resolve().parents[1]
    if not (source / ".git").exists():
        return None
    try:
        head = _git(source, "rev-parse", "HEAD")
        return head + ("+" if _git(source, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def device() -> str:
    """The device that jax computes on."""
    import jax

    first = jax.devices()[0]
    return first.platform if first.platform == first.device_kind else f"{first.platform} {first.device_kind}"


def threads() -> int:
    """The threads of XLA on a CPU: NPROC, or the cores of this process. The order of its sums depends on them."""
    wanted = os.environ.get("NPROC", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(wanted) if wanted.isdecimal() and int(wanted) else cores


def text_chunks(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The provenance as a picture's metadata: one text for each part."""
    import json

    known = {"Software": f"nst_jax {nst_jax.__version__}", "Title": "Neural style transfer"}
    parts = {f"nst:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in provenance.items()}
    return {**known, **parts}
