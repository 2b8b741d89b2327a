"""A Gradio app for Spaces and Colab, which paints as nst-serve does: `python -m nst_jax.app`, of the extra `app`.

A Space's own app.py is two lines: `from nst_jax.app import main` and `main()`.
"""

import os
import shlex
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from nst_jax import pictures
from nst_jax.shell import extras
from nst_jax.shell.errors import UserError
from nst_jax.shell.serving import choices, order
from nst_jax.shell.serving.shelf import LARGEST, Shelf
from nst_jax.shell.serving.studio import BUSY, Studio

WORKER = (sys.executable, "-m", "nst_jax.shell.cli.serve_worker")
FIELDS = ("photo", "painting", "method", "look", "colour", "size", "steps")
BEAT = 5.0  # seconds between two looks at a run that says nothing


def paint(studio: Studio, folder: Path, asked: dict[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """Paint, and yield the picture, how far it is and the line of `nst`, again and again. Raises UserError."""
    shelf = Shelf(folder)
    kept = {key: shelf.add(Path(asked[key]).name, Path(asked[key]).read_bytes())["name"] for key in FIELDS[:2]}
    line = order.words(order.read(asked | kept, shelf.find), folder)
    command = shlex.join(["nst", *line])
    studio.start(line, {"command": command, "steps": asked["steps"]})
    version, seen, state = -1, studio.state["preview"], dict(studio.state)
    while state["phase"] in BUSY:
        version, state = studio.wait(version, seconds=BEAT)
        fresh, seen = state["preview"] != seen, state["preview"]
        done = f"{state['phase']}: step {state['step']} of {state['steps']}"
        yield (Image.open(BytesIO(studio.picture)) if fresh and studio.picture else None), done, command
    if state["error"]:
        raise UserError(state["error"])
    yield state["result"], state["phase"] if state["result"] else "stopped before there was a picture", command


def build(folder: Path = Path(order.DEFAULT)) -> Any:
    """The app. folder: of the runs. Raises UserError where gradio is not installed."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # gradio reads it when it is imported
    gr: Any = extras.load("gradio", "app")
    studio, begin = Studio(WORKER), choices.BEGIN

    def run(*values: Any) -> Iterator[tuple[Any, str, str]]:
        if not all(values[:2]):
            raise gr.Error("Give a photograph and a painting.", print_exception=False)
        try:
            for picture, done, command in paint(studio, folder, dict(zip(FIELDS, values, strict=True))):
                yield (gr.skip() if picture is None else picture), done, command
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    menu = lambda label, rows, key: gr.Dropdown(rows, value=begin[key], label=label)
    source = lambda label, name: gr.Image(
        str(pictures.path(name)), type="filepath", label=label, sources=["upload", "clipboard"], height=260
    )
    number = lambda label, key, low, high, step: gr.Slider(low, high, begin[key], step=step, precision=0, label=label)
    with gr.Blocks(title="nst", analytics_enabled=False) as app:
        gr.Markdown("# nst\nA photograph in the style of a painting.")
        with gr.Row():
            with gr.Column():
                with gr.Row():
                    photo, painting = source("Photograph", "landscape"), source("Painting", "brush")
                methods = [(about.partition(":")[0], name) for name, about in choices.METHODS.items()]
                with gr.Row():
                    method, look = menu("Method", methods, "method"), menu("Look", list(choices.LOOKS), "look")
                    colour = menu("Colours", [(about, name) for name, about in choices.COLOURS.items()], "colour")
                size, steps = number("Size", "size", 64, 1024, 32), number("Steps", "steps", 10, 500, 10)
                with gr.Row():
                    go, stop = gr.Button("Paint", variant="primary"), gr.Button("Stop")
            with gr.Column():
                picture = gr.Image(
                    label="Picture", interactive=False, format="png", height=480, buttons=["download", "fullscreen"]
                )
                done, command = gr.Textbox(label="Progress"), gr.Textbox(label="The command", lines=3, buttons=["copy"])
        given = [photo, painting, method, look, colour, size, steps]
        go.click(run, given, [picture, done, command], concurrency_limit=1, show_progress="hidden")
        stop.click(studio.stop, queue=False)
    return app


def main() -> None:
    """Serve the app. Its letters are the system's: those of gradio's own theme come from the network."""
    app, themes = build(), extras.load("gradio.themes", "app")
    app.launch(
        theme=themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        max_file_size=LARGEST,
    )


if __name__ == "__main__":
    main()
