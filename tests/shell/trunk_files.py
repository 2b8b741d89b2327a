"""Weight files of the networks behind LPIPS and SIFID, with the values of tests/network_values.py."""

import network_values as values
from weight_files import pth

from nst_jax.analysis.frechet import LAYER
from nst_jax.analysis.perceptual import TRUNKS
from nst_jax.extractors import architecture

IN_TORCH = {"scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}


def trunk_file(folder, net):
    """The path of the weight file of a trunk of LPIPS, by torchvision's names."""
    path, known, found = folder / f"{net}.pth", architecture(TRUNKS[net].network), {}
    if path.exists():
        return str(path)
    theirs = {layer: path for path, layer in known.aliases.items() if path.startswith("features.")}
    for layer, (h, w, cin, cout) in known.kernels.items():
        found[f"{theirs[layer]}.weight"] = values.kernel(theirs[layer], (cout, cin, h, w), cin * h * w)
        found[f"{theirs[layer]}.bias"] = values.vector(theirs[layer], "bias", cout)
    return str(pth(path, found))


def inception_file(folder):
    """The path of the weight file of Inception v3, as far as SIFID needs it."""
    known, found = architecture("inception_v3"), {}
    norms = {layer: path for path, layer in known.norms.items()}
    for layer in known.needs((LAYER,)):
        h, w, cin, cout = known.kernels[layer]
        found[f"{layer}.conv.weight"] = values.kernel(f"{layer}.conv", (cout, cin, h, w), cin * h * w)
        found |= {f"{norms[layer]}.{IN_TORCH[r]}": values.vector(norms[layer], r, cout) for r in IN_TORCH}
    return str(pth(folder / "inception.pth", found))
