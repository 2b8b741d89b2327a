"""The published transformation networks as records. docs/explanations/feedforward.md has them side by side.

A record is static and hashable: it shapes the program. Numbers that are learnt are the network's variables. Nothing
heavy is imported here.

Sources, by the names used below:
  FNS: jcjohnson/fast-neural-style @813c834, Johnson, Alahi & Fei-Fei 2016, arXiv 1603.08155.
  LFST: lengstrom/fast-style-transfer @0d3d981.
  PTE: pytorch/examples @77f55b9, fast_neural_style.
  TN: DmitryUlyanov/texture_nets @aad2cc6, Ulyanov, Vedaldi & Lempitsky 2017, arXiv 1701.02096.
  MAG: magenta/magenta @526d3eb (models/image_stylization), Dumoulin, Shlens & Kudlur 2017, arXiv 1610.07629.
"""

from typing import NamedTuple


class Layer(NamedTuple):
    """One layer of a transformation network.

    kind:
      conv: a convolution.
      residual: two convolutions with a ReLU between, added to the input. No ReLU after the sum.
      nearest: each pixel becomes 2 x 2, then a convolution.
      transposed: a transposed convolution of stride 2, which doubles the sides.
    """

    kind: str
    width: int  # channels out
    size: int  # of the kernel
    stride: int = 1
    norm: bool = True  # a normalisation follows
    rectify: bool = True  # a ReLU follows


class Record(NamedTuple):
    """A transformation network: all that shapes it."""

    layers: tuple[Layer, ...]
    entry: str  # what it takes. caffe: BGR in 0..255 minus Caffe's mean; byte: RGB in 0..255; unit: RGB in [0, 1]
    exit: str  # what it gives, in the same words
    squash: str  # of the last layer. linear; tanh: 150 tanh; byte: 150 tanh + 127.5; sigmoid
    padding: str  # beyond the border, for conv and nearest: zero, same (TensorFlow's), reflect, replicate
    residual: str  # the same in residual layers; none: the layer loses the border, and its input is cropped
    start: int  # pixels by which the image itself is mirrored beyond its border, before all layers
    transposed: str  # torch: zeros (1, 2) around the dilated input; same: (2, 1), as TensorFlow pads
    norm: str  # instance, batch, or conditional: an instance normalisation with a scale and an offset for each style
    eps: float  # added to the variance
    biases: bool  # of the convolutions
    draw: str  # the kernels at the start. torch: see johnson.INITIALISERS; truncated; normal
    scales: str  # the normalisations' scales at the start: uniform in [0, 1), or ones
    styles: int = 0  # of a conditional network

    @property
    def multiple(self) -> int:
        """A side of an image must be a multiple of so many pixels."""
        stride = 1
        for layer in self.layers:
            stride *= layer.stride
        return stride


def johnson_layers(up: str, last: Layer) -> tuple[Layer, ...]:
    """The layers that all of these networks share (FNS train.lua:20-26). up: nearest or transposed."""
    down = (Layer("conv", 32, 9), Layer("conv", 64, 3, stride=2), Layer("conv", 128, 3, stride=2))
    middle = (Layer("residual", 128, 3, rectify=False),) * 5
    return (*down, *middle, Layer(up, 64, 3), Layer(up, 32, 3), last)


PLAIN = Layer("conv", 3, 9, norm=False, rectify=False)

JOHNSON = Record(
    layers=johnson_layers("transposed", PLAIN),
    entry="caffe",  # FNS preprocess.lua:48-61
    exit="caffe",
    squash="tanh",  # FNS models.lua:138-139
    padding="zero",  # of 'reflect-start', where only the residual layers have none: FNS models.lua:10-54
    residual="none",
    start=40,  # FNS train.lua:166-175: 5 layers of 4 pixels at a quarter of the size, on two sides
    transposed="torch",
    norm="batch",  # the models of the paper; FNS' default is instance
    eps=1e-5,  # torch7's
    biases=True,
    draw="torch",
    scales="uniform",  # torch7 SpatialBatchNormalization; FNS InstanceNormalization.lua:26
)

RECORDS: dict[str, Record] = {
    "johnson": JOHNSON,
    "johnson_instance": JOHNSON._replace(norm="instance"),
    "lengstrom": Record(
        # a normalisation even after the last convolution: LFST transform.py:16-17
        layers=johnson_layers("transposed", PLAIN._replace(norm=True)),
        entry="byte",  # as LFST evaluate.py:93 has it. Its training divides by 255, optimize.py:57
        exit="byte",
        squash="byte",
        padding="same",
        residual="same",
        start=0,
        transposed="same",
        norm="instance",
        eps=1e-3,  # LFST transform.py:52
        biases=False,
        draw="truncated",  # LFST transform.py:3,66
        scales="ones",
    ),
    "pytorch_examples": Record(
        layers=johnson_layers("nearest", PLAIN),
        entry="byte",
        exit="byte",
        squash="linear",
        padding="reflect",
        residual="reflect",
        start=0,
        transposed="torch",
        norm="instance",
        eps=1e-5,
        biases=True,
        draw="torch",
        scales="ones",
    ),
    "ulyanov": Record(
        # the last convolution is 3 x 3: TN models/johnson.lua:60-61
        layers=johnson_layers("transposed", PLAIN._replace(size=3)),
        entry="unit",
        exit="caffe",  # TN train.lua:203-211
        squash="linear",
        padding="replicate",
        residual="replicate",
        start=0,
        transposed="torch",
        norm="instance",
        eps=1e-5,
        biases=True,
        draw="torch",
        scales="uniform",  # TN InstanceNormalization.lua:27
    ),
    "dumoulin": Record(
        # the last convolution is normalised, too: MAG model.py:65
        layers=johnson_layers("nearest", PLAIN._replace(norm=True)),
        entry="unit",
        exit="unit",
        squash="sigmoid",
        padding="reflect",
        residual="reflect",
        start=0,
        transposed="torch",
        norm="conditional",
        eps=1e-5,  # MAG ops.py:81-113
        biases=False,
        draw="normal",  # MAG model.py:50
        scales="ones",
        styles=1,  # replace it: the released networks have 10 and 32
    ),
}


def with_widths(record: Record, *, factor: float) -> Record:
    """The same network with so many times the channels between the first layer and the last.

    0.5: the released networks of FNS with instance normalisation. 0.25: MAG's for phones.
    """
    *inner, last = record.layers
    return record._replace(layers=(*(x._replace(width=int(factor * x.width)) for x in inner), last))


class Mirror(NamedTuple):
    """A decoder: the layers of an encoder in reverse, a doubling of the sides for each pooling."""

    layers: tuple[int | str, ...]  # the channels out of a 3 x 3 convolution; or "up"
    rectify: bool = False  # whether a ReLU follows the last convolution, too
    divisor: float = 1.0  # of the features, before the first convolution
    draw: str = "torch"  # the kernels at the start. torch; he: He et al. 2015, under which activations keep their size

    @property
    def multiple(self) -> int:
        """The sides of its pictures are multiples of so many pixels."""
        return 2 ** self.layers.count("up")


Widths = tuple[tuple[int, ...], ...]  # of the convolutions of each block

VGG19: Widths = ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4)
DISTILLED: Widths = ((16, 24), (40, 32), (64, 80, 64), (128, 128, 112), (96, 64, 32))  # extractors/distilled.py
STUDENT: Widths = ((16,) * 2, (32,) * 2, (64,) * 4, (128,) * 4, (128,) * 4)  # Wang et al. 2020, arXiv 2003.08436
TEXNET: Widths = ((32,) * 2, (64,) * 2, (96,) * 3, (96,) * 2)  # extractors/texnet.py
ENCODERS = {"vgg19": VGG19, "distilled": DISTILLED, "collaborative": STUDENT, "texnet": TEXNET}
LEVELS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def mirror(widths: Widths, *, level: str) -> Mirror:
    """The decoder from one of LEVELS: the encoder's convolutions mirrored, from the last to the first.

    Each convolution returns the channels that the encoder's takes. The decoder from VGG-19's relu4_1 is by Huang &
    Belongie 2017 (naoto0804/pytorch-AdaIN @47950d0, net.py:6-36). The others are by Li et al. 2017
    (sunshineatnoon/PytorchWCT @ee9d813, modelsNIPS.py).
    """
    layers: list[int | str] = []  # from the image to the level: the channels that each convolution takes
    before = 3
    for block in widths[: LEVELS.index(level)]:
        for width in block:
            layers.append(before)
            before = width
        layers.append("up")
    return Mirror((before, *reversed(layers)))


def deepen(record: Mirror, widths: Widths, *, level: str, number: int) -> Mirror:
    """The decoder with `number` convolutions before its own, of the level's channels: it sees farther. Ours."""
    return record._replace(layers=(*(widths[LEVELS.index(level)][0],) * number, *record.layers))
