"""A line of the command, sorted into settings, options and pictures."""

from dataclasses import dataclass, field

from nst_jax.shell.cli.quoting import quote


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
    model: bool = False  # a trained network paints

    def hydra(self) -> list[str]:
        """The words for Hydra's parser."""
        return [*self.flags, *(quote(word, many=self.is_sweep()) for word in self.words)]

    def style(self) -> str:
        """What the screen shows: "full", "quiet" or "json"."""
        return "json" if self.json else "quiet" if self.quiet else "full"

    def is_sweep(self) -> bool:
        """Whether the line asks for several runs."""
        return bool({"-m", "--multirun"} & set(self.flags))
