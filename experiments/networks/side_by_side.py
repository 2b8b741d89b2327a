"""Six pairs by the teacher, by distilled and by texnet, side by side, each network with the losses that it comes with.

No network is tuned to another one, as in extractors_compared: this is what a line of `nst` gives. Look at the strokes'
direction and length, at colours, faces, thin shapes and borders.
Cost: 18 runs, 40 minutes on two CPU cores. The same line again runs only what is missing.

    python -m experiments.networks.side_by_side data=FOLDER size=512 steps=100 to=docs/pictures/side_by_side.jpg

FOLDER holds weights/ and images/.
"""

import sys
from pathlib import Path

import numpy as np

import nst_jax as nst
from experiments.common import figures, study
from experiments.networks.candidates import FILES, TEACHER
from experiments.networks.extractors_compared import PAIRS, picture, settings
from experiments.networks.tuning import SOLVER, fingerprint

DOTS = 250  # an inch of the sheet: 400 pixels for a picture


def main(*words: str, home: Path | None = None) -> Path:
    """Run what is missing, write the sheet, and return its path."""
    c = settings(words)
    home, data = home or study.HOME / "side_by_side", Path(c.data)
    networks = {
        TEACHER: nst.load(data / "weights" / FILES[TEACHER], network="vgg16", preprocessing="caffe"),
        "distilled": nst.load(c.distilled.distilled, network="distilled"),
        "texnet": nst.load(c.texnet.texnet, network="texnet"),
    }
    home.mkdir(parents=True, exist_ok=True)
    cells = []
    for pair in PAIRS:
        photo, painting = (picture(data, name, c.size) for name in pair)
        made = []
        for name, net in networks.items():
            kept = home / f"{'_'.join(pair)}_{name}_{fingerprint(net.params)}_{c.size}_{c.steps}.npy"
            if not kept.exists():
                np.save(kept, nst.stylise(net, photo, painting, solver=SOLVER, steps=c.steps).image)
            made.append(np.clip(np.load(kept), 0, 1))
        cells.append([np.asarray(photo), np.asarray(painting), *made])
    sheet = figures.grid(cells, across=["photograph", "painting", *networks], down=["\n".join(pair) for pair in PAIRS])
    path = Path(c.get("to", home / "sheet.jpg"))
    sheet.savefig(path, dpi=DOTS)
    return path


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
