"""What a preset needs, in the words at its head."""

import re
from collections.abc import Iterable

from nst_jax.shell.places import conf

SAME = "Keras', MatConvNet's and the Caffe files hold the same values (weights=keras | matconvnet | file)"
OTHER = (
    "torchvision's are another training, with features about 57 times smaller: content terms 57^2 and Gram matrices' "
    "57^4 times smaller at the same weights"
)
TORCHVISION = (
    "With the original values (weights=keras) features are about 57 times larger: content terms 57^2 and "
    "Gram matrices' 57^4 times larger at the same weights"
)


def needs(words: Iterable[str]) -> str | None:
    """Which weights the preset of a line was made for, and what differs with others; None without a preset."""
    names = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("preset=")]
    path = conf() / "preset" / f"{names[-1] if names else ''}.yaml"
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    head = " ".join(line.lstrip("# ") for line in lines[1:] if line.startswith("#"))
    said = " ".join(re.findall(r"(?:Weights:|Needs|With the original).*?(?<!\d)\.(?=\s|$)", head))
    told = f"the preset {names[-1]}: {said}"
    if "ith the original" in said:
        return told
    return f"{told} {TORCHVISION if 'torchvision' in said else f'{SAME}; {OTHER}'}."
