"""Write nst_jax/trained/lpips.safetensors from the linear weights of the package lpips.

python -m tools.lpips_weights FOLDER   # its lpips/weights/v0.1, out of the wheel lpips-0.1.4 of the package index

Torch is not needed. The names lin0, lin1, ... become those of our layers: alex.conv1, vgg.relu1_2, squeeze.fire3.
"""

import sys
from pathlib import Path

import numpy as np

from nst_jax.analysis.perceptual import TRUNKS
from nst_jax.shell.io import cache, formats
from nst_jax.shell.places import package_file

FILE = "trained/lpips.safetensors"
SOURCE = "linear weights of LPIPS 0.1, package lpips 0.1.4, BSD-2-Clause: see lpips.md"


def read_linear(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The weights by trunk and layer, and the hash of each file."""
    found, hashes = {}, {}
    for net, trunk in TRUNKS.items():
        path = folder / f"{net}.pth"
        arrays = formats.read(path).arrays
        assert len(arrays) == len(trunk.taps), net
        for number, tap in enumerate(trunk.taps):
            found[f"{net}.{tap}"] = np.ascontiguousarray(arrays[f"lin{number}.model.1.weight"].read().reshape(-1))
        hashes[f"{net}.pth"] = cache.digest(path, "sha256")
    return found, hashes


def main() -> None:
    """Write the file."""
    from safetensors.numpy import save_file

    arrays, hashes = read_linear(Path(sys.argv[1]))
    save_file(arrays, package_file(FILE), metadata={"source": SOURCE, **hashes})
    print(f"{package_file(FILE)}: {sum(a.size for a in arrays.values())} numbers")


if __name__ == "__main__":
    main()
