"""The settings and their types. The defaults, with their units, are in conf/, one place for each."""

from dataclasses import dataclass, field
from typing import Any

MISSING: Any = "???"


@dataclass
class Network:
    """conf/network/"""

    name: str = MISSING
    pool: str = MISSING
    rounding: str = MISSING
    padding: str = MISSING
    convolution: str = MISSING
    smooth: str = "none"
    temperature: float = 1.0


@dataclass
class Weights:
    """conf/weights/"""

    source: str = MISSING
    path: str | None = None
    mirror: str | None = None
    seed: int = MISSING
    random_from: int | None = None
    preprocessing: str = MISSING


@dataclass
class Layers:
    """conf/layers/: a layer's published name, and its own factor."""

    content: dict[str, float] = field(default_factory=dict)
    style: dict[str, float] = field(default_factory=dict)
    content_count: int | None = None  # of layers to pick: `settings.layers` puts them in `content`
    style_count: int | None = None


@dataclass
class Convention:
    """conf/convention/"""

    name: str = MISSING
    content_weight: float = MISSING
    style_weight: float = MISSING
    tv_weight: float = MISSING
    resolution: str = MISSING
    positions: str = MISSING
    reference: int = MISSING


@dataclass
class Strokes:
    """conf/config.yaml, `strokes`: a picture whose brush strokes the style gets."""

    style: str | None = None
    mix: str = MISSING
    to: str = MISSING
    steps: int = MISSING
    scale: float = MISSING


@dataclass
class Photo:
    """conf/config.yaml, `photo`: terms that keep a result photographic."""

    laplacian: float = MISSING
    pool: int = MISSING
    matting: float = MISSING


@dataclass
class Pattern:
    """conf/config.yaml, `pattern`: of a texture."""

    seamless: str = MISSING
    smooth: float = MISSING
    spectrum: float = MISSING
    shifts: float = MISSING
    autocorrelation: float = MISSING
    layers: list[str] | None = None  # None: `settings.texture` puts a layer of the network there
    offsets: list[int] = field(default_factory=list)
    octaves: int = MISSING


@dataclass
class Masks:
    """conf/config.yaml, `masks`: how the masks of regions are used."""

    carry: str = MISSING
    grow: int = MISSING
    weigh: str = MISSING


@dataclass
class Output:
    """conf/output/"""

    folder: str = MISSING
    to: str | None = None
    file: str = MISSING
    quality: int = MISSING
    alpha: bool = MISSING
    every: int = MISSING
    checkpoint: float = MISSING
    film: str | None = None
    film_ms: int = MISSING


@dataclass
class Sweep:
    """conf/config.yaml, `sweep`: how a sweep is run. The results of a job do not depend on it."""

    folder: str | None = None
    redo: str = MISSING
    stop_on_error: bool = MISSING
    zip: list[Any] = field(default_factory=list)
    lanes: int | None = None
    memory: float = MISSING
    checkpoint: float = MISSING
    objective: Any = MISSING
    direction: Any = MISSING
    export: list[str] = field(default_factory=list)


@dataclass
class Device:
    """conf/device/"""

    precision: str = MISSING
    checkpoint: Any = MISSING  # auto, or a flag
    tiles: Any = "auto"  # or "none", or pixels; records of older runs lack it
    preallocate: bool = MISSING
    memory_fraction: float = MISSING
    cache: bool = MISSING
    deterministic: bool = MISSING
    mesh: str = "lanes"  # records of older runs lack it
    distributed: bool = False  # and this


@dataclass
class Config:
    """conf/config.yaml.

    `optimiser`, `canvas`, `colour` and `scale` hold just the keys of the one chosen: none is idle.
    """

    content: str | None = MISSING
    style: Any = MISSING  # a path, a list of paths, or None
    style_blend: Any = None  # a list of shares, or None
    style_mix: str = MISSING
    look: str = MISSING
    content_weight: float = MISSING
    style_weight: float = MISSING
    tv_weight: float = MISSING
    model: Any = None  # a path, a list of paths, or None; records of older runs lack it
    alpha: float = 1.0  # and this
    size: int = MISSING
    size_rule: str = MISSING
    style_scale: Any = MISSING  # a number, or one for each style
    background: str = MISSING
    max_pixels: int = MISSING
    steps: int = MISSING
    average: float = MISSING
    seed: int = MISSING
    dry_run: bool = MISSING
    network: Network = field(default_factory=Network)
    weights: Weights = field(default_factory=Weights)
    layers: Layers = field(default_factory=Layers)
    convention: Convention = field(default_factory=Convention)
    photo: Photo = field(default_factory=Photo)
    regions: dict[str, Any] = field(default_factory=dict)  # a region's name -> its settings: settings.regions
    masks: Masks = field(default_factory=Masks)
    texture: str | None = None
    pattern: Pattern = field(default_factory=Pattern)
    strokes: Strokes = field(default_factory=Strokes)
    optimiser: dict[str, Any] = field(default_factory=dict)
    canvas: dict[str, Any] = field(default_factory=dict)
    colour: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, Any] = field(default_factory=dict)
    output: Output = field(default_factory=Output)
    sweep: Sweep = field(default_factory=Sweep)
    device: Device = field(default_factory=Device)
    origin: dict[str, Any] | None = None  # of a run that begins from another: {path, sha256} of that one's record
