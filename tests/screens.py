"""Screens of four people who meet the tool: the commands of each file in visits/, run in a terminal, one after another.

    python tests/screens.py              # runs all of them, and writes their screens anew
    python tests/screens.py artist

A file starts with who the person is. Then, for each command: what the person wants (`# `), the command (`$ `), the
screen as it is at the end, and the exit code if it is not 0 (`[1]`). The tool is the wheel of this project in a new
environment. Its folder holds two pictures, a folder of three, and files that a person would have.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "visits"
ROOT = HERE.parents[1]
PICTURES = ROOT / "nst_jax/pictures"
COLUMNS, ROWS = 120, 400
LONGEST = 300  # seconds of one command
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
UP, CLEAR = "\x1b[A", "\x1b[K"
LESSON = """import jax
import nst_jax as nst

net = nst.load("distilled")
result = nst.stylise(net, "photo.jpg", "painting.jpg", style_weight=1e3, size=48, steps=4)
result.save("lesson.png")
print(result.terms)

photo, painting = nst.picture("photo.jpg", size=48), nst.picture("painting.jpg", size=48)
problem = nst.problem(net, photo, painting)


def likeness(style_weight):
    return nst.ssim(nst.unrolled(problem, turns=2, style_weight=style_weight), photo)


print(likeness(1e3), jax.grad(likeness)(1e3))
nst.stylise(net, "photo.jpg", "paintng.jpg")
"""


@dataclass
class Scene:
    """A command, what the person wants with it, the screen and the exit code."""

    wish: str
    command: str
    screen: str = ""
    code: int = 0


def read(path: Path) -> tuple[str, list[Scene]]:
    """Who the person is, and the scenes of a file."""
    head, *parts = re.split(r"^(?=# .*\n\$ )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    scenes = []
    for part in parts:
        wish, command, screen = re.fullmatch(r"(# .*\n)\$ (.*)\n((?s:.*))", part).groups()
        screen = screen.strip("\n")
        code = re.search(r"(?:^|\n)\[(\d+)\]$", screen)
        screen = screen[: code.start()] if code else screen
        scenes.append(Scene(wish, command, screen, int(code.group(1)) if code else 0))
    return head, scenes


def write(path: Path, head: str, scenes: list[Scene]) -> None:
    """A file of these scenes."""
    text = head
    for scene in scenes:
        lines = [
            f"$ {scene.command}",
            *([scene.screen] if scene.screen else []),
            *([f"[{scene.code}]"] * bool(scene.code)),
        ]
        text += scene.wish + "\n".join(lines) + "\n\n"
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def environment(folder: Path) -> Path:
    """A new environment with the wheel in it, and of what is installed here no more than the wheel's dependencies."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True, capture_output=True)
    install = ["install", "--no-deps", *folder.glob("*.whl")]
    subprocess.run([*pip, "--python", folder / "bin/python", *install], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    # a folder that a .pth names does not have its own .pth read: the editable nst_jax of this place stays out
    here = next(Path(sys.prefix, "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{here}\n")
    return folder / "bin"


def furnish(folder: Path) -> None:
    """What the person has."""
    (folder / "photos").mkdir(parents=True)
    shutil.copy(PICTURES / "landscape.jpg", folder / "photo.jpg")
    shutil.copy(PICTURES / "landscape.jpg", folder / "Zoë's café.jpg")
    shutil.copy(PICTURES / "brush.jpg", folder / "painting.jpg")
    for name in ("landscape", "ink", "mosaic"):
        shutil.copy(PICTURES / f"{name}.jpg", folder / "photos")
    (folder / "notes.jpg").write_text("buy paint\n")
    (folder / "vgg19.pth").write_bytes(b"PK\x03\x04" + bytes(2000))
    (folder / "lesson.py").write_text(LESSON, encoding="utf-8")
    shutil.copytree(ROOT / "experiments", folder / "experiments", ignore=shutil.ignore_patterns("__pycache__"))


def render(raw: str) -> str:
    """What stands on the screen at the end: lines that a bar has written over are gone."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", raw):
        if token == "\r":
            column = 0
        elif token == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif token == UP:
            row = max(0, row - 1)
        elif token == CLEAR:
            lines[row] = lines[row][:column]
        elif not token.startswith("\x1b"):
            line = lines[row].ljust(column)
            lines[row] = line[:column] + token + line[column + len(token) :]
            column += len(token)
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def show(command: str, folder: Path, variables: dict[str, str]) -> tuple[str, int]:
    """The screen of a command in a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    script = f"stty cols {COLUMNS} rows {ROWS}; {command}"
    process = subprocess.Popen(
        ["timeout", "--foreground", str(LONGEST), "bash", "-c", script],
        **{"stdin": theirs, "stdout": theirs, "stderr": theirs, "cwd": folder, "env": variables},
    )
    os.close(theirs)
    raw = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            part = b""
        if not part:
            break
        raw += part
    os.close(ours)
    text = raw.decode("utf-8", "replace").replace(str(folder), "/home/person")
    return render(text), process.wait()


def visit(scenes: list[Scene], programs: Path, folder: Path) -> list[Scene]:
    """Each command of a person, in a folder that lasts from one to the next."""
    home = folder / "home"
    furnish(home)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and "NST" not in name}
    own = {
        **{"HOME": str(home), "NST_JAX_CACHE": str(home / ".cache/nst_jax"), "XDG_CACHE_HOME": str(home / ".cache")},
        **{"JAX_PLATFORMS": "cpu", "TERM": "xterm", "LC_ALL": "C.UTF-8"},
    }
    variables = {**kept, **OFFLINE, **own, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    made = []
    for scene in scenes:
        screen, code = show(scene.command, home, variables)
        made.append(Scene(scene.wish, scene.command, screen, code))
    return made


def main() -> None:
    """Run the visits that were asked for, and write their screens."""
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.txt"))
    with tempfile.TemporaryDirectory() as place:
        programs = environment(Path(place, "environment"))
        for name in names:
            head, scenes = read(HERE / f"{name}.txt")
            write(HERE / f"{name}.txt", head, visit(scenes, programs, Path(place, name)))
            print(f"{name}: {len(scenes)} commands")


if __name__ == "__main__":
    main()
