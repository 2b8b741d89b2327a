"""The networks that learn, as `training.step` takes them: a transformation of the picture, or a decoder."""

from typing import Any, NamedTuple

import jax
from jax import Array

from nst_jax.methods.feedforward import wct
from nst_jax.methods.feedforward.adain import Form, adain
from nst_jax.methods.feedforward.decoders import Decoder
from nst_jax.methods.feedforward.johnson import Transform
from nst_jax.methods.feedforward.training import Code, Codes, Images, Labels
from nst_jax.types import Activation


class Transformer(NamedTuple):
    """A network from picture to picture: `johnson.Transform`."""

    network: Transform
    styles: int  # of a conditional network; 0: it has one style, and takes none
    code: None = None

    def shares(self, labels: Labels) -> Array | None:
        """The network's input for the styles: one of each picture."""
        return jax.nn.one_hot(labels, self.styles) if self.styles else None

    def init(self, key: Array, images: Images, codes: Codes, labels: Labels) -> Any:
        """The variables before the first step."""
        return dict(self.network.init(key, images[:1], self.shares(labels[:1]), training=False))

    def paint(
        self, variables: Any, images: Images, codes: Codes, labels: Labels, *, training: bool
    ) -> tuple[Images, Any]:
        """The painted pictures, and the variables that change without a gradient: a batch normalisation's."""
        others = [name for name in variables if name != "params"]
        given: dict[str, Any] = {"training": training, "mutable": others if training else []}
        painted, changed = self.network.apply(variables, images, self.shares(labels), **given)
        return painted, {name: variables[name] for name in others} | dict(changed)


class Adain(NamedTuple):
    """The content's activation with the style's means and deviations. A value: two equal ones are one program."""

    form: Form

    def __call__(self, content: Activation, style: Activation) -> Activation:
        """The decoder's input."""
        return adain(content, style, alpha=1.0, form=self.form)


class Wct(NamedTuple):
    """The content's activation with the style's mean and covariance. A value, as `Adain` is."""

    rule: wct.Rule

    def __call__(self, content: Activation, style: Activation) -> Activation:
        """The decoder's input."""
        return wct.wct(content, style, alpha=1.0, rule=self.rule)


class Decoding(NamedTuple):
    """A decoder of an encoder's activations. The encoder sees, and learns nothing."""

    decoder: Decoder
    code: Code

    def init(self, key: Array, images: Images, codes: Codes, labels: Labels) -> Any:
        """The variables before the first step."""
        return dict(self.decoder.init(key, codes[:1]))  # pyright: ignore[reportOptionalSubscript]

    def paint(
        self, variables: Any, images: Images, codes: Codes, labels: Labels, *, training: bool
    ) -> tuple[Images, Any]:
        """The painted pictures, and an empty dictionary: all variables change by a gradient."""
        return self.decoder.apply({"params": variables["params"]}, codes), {}  # pyright: ignore[reportReturnType]
