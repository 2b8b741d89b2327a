"""A line of the command, sorted into settings, options and pictures."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nst_jax.shell.cli.again import FROM, setting
from nst_jax.shell.cli.quoting import quote

if TYPE_CHECKING:
    from nst_jax.shell.running.origin import Origin


@dataclass
class Line:
    """A line, sorted.

    Attributes:
      words: settings, KEY=VALUE, values as they were typed.
      flags: Hydra's own.
      notes: what was read as what.
      pictures: names without a key.
      contents: the photographs, where a model paints them.
      foreign: options with one hyphen, and their values.
      quiet, json, help: the flags of these names.
      model: whether a trained network paints.
      origin: the run that the line begins from.
    """

    words: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str | None]] = field(default_factory=list)
    quiet: bool = False
    json: bool = False
    help: bool = False
    model: bool = False
    origin: "Origin | None" = None

    def hydra(self) -> list[str]:
        """The words for Hydra's parser."""
        base = [setting(self.origin)] if self.origin else []
        return [*self.flags, *base, *(quote(word, many=self.is_sweep()) for word in self.words)]

    def settings(self) -> list[str]:
        """The settings as they are typed, with the run that the line begins from."""
        return [*([f"{FROM}={self.origin.path}"] if self.origin else []), *self.words]

    def says_texture(self) -> bool:
        """Whether what a texture needs is settled by the run that the line begins from."""
        return self.origin is not None and self.origin.is_texture()

    def style(self) -> str:
        """The style of the output on the screen: "full", "quiet" or "json"."""
        return "json" if self.json else "quiet" if self.quiet else "full"

    def is_sweep(self) -> bool:
        """Whether the line asks for several runs."""
        return bool({"-m", "--multirun"} & set(self.flags))
