"""The command `nst-weights`: fetch, verify, convert and list weights. Exit code 2 for a mistake of the user's.

The subcommands import slow modules themselves, so that --help answers at once.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nst_jax.extractors import MODULES
from nst_jax.extractors.addresses import PUBLISHED, Published
from nst_jax.shell.cli.screen import command
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache

PUBLISHERS = tuple(dict.fromkeys(publisher for _, publisher in PUBLISHED))


@command("nst-weights", "the next fetch continues where this one stopped")
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except UserError as error:
        print(f"nst-weights: {error}", file=sys.stderr)
        return 2


def fetch(options: argparse.Namespace) -> int:
    """Download, verify and convert one set."""
    from nst_jax.shell.io import weights

    wanted = {"network": options.network, "needed": (), "mirror": options.mirror}
    loaded = weights.load(options.source, **wanted, log=_say)
    print(f"{loaded.path}\n{loaded.source}\nsha256 of the published file {loaded.sha256}")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Check everything in the cache. Exit code 1 if something is damaged."""
    checks = [check for file in _files().values() for check in _verify(file)]
    for path, good in checks:
        print(f"{'ok     ' if good else 'DAMAGED'} {path}")
    if not checks:
        print(f"{cache.folder()}: no weights here yet; `nst-weights fetch` gets some")
    return 0 if all(good for _, good in checks) else 1


def convert(options: argparse.Namespace) -> int:
    """Write a file of any known format as .safetensors, with its preprocessing and provenance."""
    from nst_jax.shell.io import weights

    wanted = {"network": options.network, "needed": (), "preprocessing": options.preprocessing}
    loaded = weights.load("file", **wanted, path=options.input, log=_say)
    weights.save(loaded, options.output)
    layers = [name for name in loaded.params if name != "input"]
    print(f"{options.output}: {layers[0]} to {layers[-1]}; {loaded.source}")
    return 0


def list_published(options: argparse.Namespace) -> int:
    """Print what is published, and what of it is in the cache."""
    print(f"cache: {cache.folder()}")
    for (network, source, _), file in _files().items():
        large = "about 0.5 GB" if source == "matconvnet" else "size not known"
        size = f"{file.size / 1e6:.0f} MB" if file.size else large
        here = "converted" if cache.converted_path(file.file).is_file() else "not here"
        print(f"\n{source} {network}: {file.file}, {size}, {here}\n  {file.digest}")
        print("\n".join(f"  {url}" for url in file.urls))
    return 0


def _verify(file: Published) -> list[tuple[Path, bool]]:
    original = cache.folder() / file.file
    converted = cache.converted_path(file.file)
    found = [(original, cache.matches(original, file.digest))] if original.is_file() else []
    return found + ([(converted, cache.is_intact(converted))] if converted.is_file() else [])


def _files() -> dict[tuple[str, str, str], Published]:
    """The published files by network, publisher and name."""
    return {(*key, file.file): file for key, files in PUBLISHED.items() for file in files}


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nst-weights", description="The networks' weights: get, check, convert.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    get = _command(commands, "fetch", fetch, "download, verify and convert a published set")
    get.add_argument("source", nargs="?", default="keras", choices=PUBLISHERS, help="who publishes it (keras)")
    get.add_argument("--mirror", help="an address to try before the published ones")
    _add_network(get, dict.fromkeys(network for network, _ in PUBLISHED))
    _command(commands, "verify", verify, "check the hashes of everything in the cache")
    change = _command(commands, "convert", convert, "write any known format as .safetensors")
    change.add_argument("input", metavar="IN", help=".h5, .pth, .mat or .safetensors")
    change.add_argument("output", metavar="OUT", help="the .safetensors to write")
    choices = ("auto", "caffe", "torchvision", "tf")
    change.add_argument("--preprocessing", default="auto", choices=choices, help="for a file that does not say it")
    _add_network(change, MODULES)
    _command(commands, "list", list_published, "what is published, and what is in the cache")
    return parser


def _command(commands, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _add_network(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    parser.add_argument("--network", default="vgg19", choices=tuple(names), help="which network (vgg19)")


if __name__ == "__main__":
    sys.exit(main())
