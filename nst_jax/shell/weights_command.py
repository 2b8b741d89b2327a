"""The command `nst-weights`: fetch, verify, convert and list weights. Exit code 2 for what the user can mend.

Everything heavy is imported by the subcommand that needs it, so that --help answers at once.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nst_jax.shell import cache
from nst_jax.shell.errors import UserError
from nst_jax.shell.published import PUBLISHED, Published

NETWORKS = ("vgg19", "vgg16")
PUBLISHERS = ("keras", "torchvision", "matconvnet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except UserError as error:
        print(f"nst-weights: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `nst-weights list | head`
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        print("nst-weights: interrupted; the next fetch continues where this one stopped", file=sys.stderr)
        return 130


def fetch(options: argparse.Namespace) -> int:
    """Download, verify and convert one set."""
    from nst_jax.shell import weights

    wanted = {"network": options.network, "needed": (), "mirror": options.mirror}
    loaded = weights.load(options.source, **wanted, log=_say)
    print(f"{loaded.path}\n{loaded.source}\nsha256 of the published file {loaded.sha256}")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Check everything in the cache; 1 if something is damaged."""
    checks = [line for _, _, file in _files() for line in _verified(file)]
    for path, good in checks:
        print(f"{'ok     ' if good else 'DAMAGED'} {path}")
    if not checks:
        print(f"{cache.folder()}: no weights here yet; `nst-weights fetch` gets some")
    return 0 if all(good for _, good in checks) else 1


def convert(options: argparse.Namespace) -> int:
    """Any known format to .safetensors, with the preprocessing and the provenance in it."""
    from nst_jax.shell import weights

    wanted = {"network": options.network, "needed": (), "preprocessing": options.preprocessing}
    loaded = weights.load("file", **wanted, path=options.input, log=_say)
    weights.save(loaded, options.output)
    layers = [name for name in loaded.params if name != "input"]
    print(f"{options.output}: {layers[0]} to {layers[-1]}; {loaded.source}")
    return 0


def listed(options: argparse.Namespace) -> int:
    """What is published, and what of it is in the cache."""
    print(f"cache: {cache.folder()}")
    for network, source, file in _files():
        size = f"{file.size / 1e6:.0f} MB" if file.size else "about 0.5 GB"
        here = "converted" if (cache.folder() / f"{file.file}.safetensors").is_file() else "not here"
        print(f"\n{source} {network}: {file.file}, {size}, {here}\n  {file.digest}")
        print("\n".join(f"  {url}" for url in file.urls))
    return 0


def _verified(file: Published) -> list[tuple[Path, bool]]:
    original = cache.folder() / file.file
    converted = cache.folder() / f"{file.file}.safetensors"
    found = [(original, cache.matches(original, file.digest))] if original.is_file() else []
    return found + ([(converted, cache.intact(converted))] if converted.is_file() else [])


def _files() -> list[tuple[str, str, Published]]:
    return [(network, source, file) for (network, source), files in PUBLISHED.items() for file in files]


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nst-weights", description="Weights of VGG-19 and VGG-16: get, check, convert."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    get = _command(commands, "fetch", fetch, "download, verify and convert a published set")
    get.add_argument("source", nargs="?", default="keras", choices=PUBLISHERS, help="who publishes it (keras)")
    get.add_argument("--mirror", help="an address to try before the published ones")
    _network(get)
    _command(commands, "verify", verify, "check the hashes of everything in the cache")
    change = _command(commands, "convert", convert, "write any known format as .safetensors")
    change.add_argument("input", metavar="IN", help=".h5, .pth, .mat or .safetensors")
    change.add_argument("output", metavar="OUT", help="the .safetensors to write")
    choices = ("auto", "caffe", "torchvision")
    change.add_argument("--preprocessing", default="auto", choices=choices, help="for a file that does not say it")
    _network(change)
    _command(commands, "list", listed, "what is published, and what is in the cache")
    return parser


def _command(commands, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", default="vgg19", choices=NETWORKS, help="which network (vgg19)")


if __name__ == "__main__":
    sys.exit(main())
