"""The settings of several devices: `device.mesh=rows device.distributed=true`."""

import re
from collections.abc import Iterable

from nst_jax.shell.settings.schema import Config


def by_rows(mesh: str) -> bool:
    """Whether several devices share the rows of an image."""
    return mesh == "rows" or mesh.partition("x")[2] not in ("", "1")


def wrong_devices(c: Config) -> Iterable[str]:
    """The mistakes in the use of several devices, in words. Only the first of them."""
    mesh = c.device.mesh
    if not re.fullmatch(r"lanes|rows|[1-9]\d{0,4}x[1-9]\d{0,4}", str(mesh)):
        yield f"device.mesh must be lanes, rows, or two numbers such as 2x4: devices by lanes and by rows; got {mesh}"
    elif by_rows(mesh) and c.network.convolution == "winograd":
        yield f"device.mesh={mesh} needs network.convolution=direct: Winograd's tiles lie across the devices"
    elif by_rows(mesh) and c.device.tiles not in ("auto", "none"):
        tiles = f"device.tiles={c.device.tiles}"
        yield f"{tiles} is for one device, and device.mesh={mesh} cuts the picture itself: leave one out"
    elif mesh != "lanes" and c.device.deterministic:
        yield f"device.deterministic=true computes each picture on one device, and device.mesh={mesh} on several"
    elif c.device.distributed and mesh != "rows":
        yield f"device.distributed=true needs device.mesh=rows: the processes share one picture; got device.mesh={mesh}"
    elif c.device.distributed and c.dry_run:
        yield "dry_run=true rehearses in one process: leave device.distributed out; the devices of one host are enough"
