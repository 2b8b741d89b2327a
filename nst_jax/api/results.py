"""Where a run ended, as a notebook has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from nst_jax.methods import transfer


class Result(NamedTuple):
    """Where a run ended. With several lanes every array has a leading axis."""

    image: Array  # (height, width, 3), RGB in [0, 1] up to what the optimiser left outside
    terms: Mapping[str, Array]  # the unweighted value of each term, by name
    curve: Mapping[str, Array]  # total, grad_norm and evaluations of each iteration
    facts: Mapping[str, Any]

    def save(self, path: str | Path, *, lane: int = 0) -> Path:
        """Write the image as PNG, JPEG or WebP, with its origin in its metadata; returns the path."""
        from nst_jax.shell.io.saving import write
        from nst_jax.shell.running.provenance import text_chunks, versions

        image = self.image if self.image.ndim == 3 else self.image[lane]
        return write(path, image, metadata=text_chunks({**self.facts, "versions": versions()}))

    def _repr_png_(self) -> bytes:
        """The image, or the lanes side by side, as a notebook shows it."""
        import io

        from PIL import Image as Pillow

        row = np.asarray(self.image if self.image.ndim == 3 else np.concatenate([*self.image], 1))
        data = io.BytesIO()
        Pillow.fromarray((np.clip(row, 0, 1) * 255 + 0.5).astype(np.uint8)).save(data, "PNG")
        return data.getvalue()


def as_result(found: transfer.Result, facts: Mapping[str, Any]) -> Result:
    """The output of a program, with the facts. Every array may have a leading axis."""
    infos = found.infos
    curve = {"total": infos.value, "grad_norm": infos.grad_norm, "evaluations": infos.evaluations}
    return Result(found.image, found.terms, {**curve, **infos.parts}, facts)


def first_lane(found: transfer.Result) -> transfer.Result:
    """The only lane of one, without the leading axis."""
    return jax.tree.map(lambda leaf: leaf[0], found)
