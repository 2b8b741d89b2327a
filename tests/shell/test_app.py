"""The Gradio app: what it paints, and, where gradio is installed, the app itself."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nst_jax import app, pictures
from nst_jax.shell.errors import UserError
from nst_jax.shell.serving.studio import Studio

ASKED = {
    "photo": str(pictures.path("landscape")),
    "painting": str(pictures.path("brush")),
    "method": "optimise",
    "look": "balanced",
    "colour": "style",
    "size": 64,
    "steps": 10,
}


@pytest.mark.slow
def test_it_paints_and_shows_the_way(tmp_path):
    studio = Studio(app.WORKER)
    try:
        *seen, last = app.paint(studio, tmp_path, ASKED)
        picture, done, command = last
        assert done == "done"
        with Image.open(picture) as image:
            assert image.size == (64, 48)
        assert f"content={tmp_path / 'pictures' / 'landscape.jpg'}" in command
        assert any(image is not None and image.size == (64, 48) for image, _, _ in seen)
        assert Path(picture).parent.joinpath("command.txt").read_text().strip() == command
    finally:
        studio.close()


def test_a_process_that_dies_is_the_apps_error(tmp_path):
    studio = Studio((sys.executable, "-c", "import sys; sys.stdin.readline()"))
    with pytest.raises(UserError, match="exit code 0"):
        list(app.paint(studio, tmp_path, ASKED))
    with pytest.raises(UserError, match="size is a whole number"):
        list(app.paint(studio, tmp_path, {**ASKED, "size": 3}))
    studio.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the client's own
def test_the_app_itself(tmp_path):
    """In a process of its own, as its users start it. Nothing is sent anywhere: analytics are off."""
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("gradio is not installed (pip install 'nst_jax[app]'): the app is not tested")
    from gradio_client import Client, handle_file  # pyright: ignore[reportMissingImports]

    line = [sys.executable, "-u", "-m", "nst_jax.app"]
    process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        text = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", text)):
            said = process.stdout.readline()
            assert said, text
            text += said
        client = Client(found[0], verbose=False)
        assert client.config["analytics_enabled"] is False
        files = [handle_file(ASKED["photo"]), handle_file(ASKED["painting"])]
        picture, done, command = client.predict(*files, *(ASKED[key] for key in app.FIELDS[2:]), api_name="/run")
        assert done == "done"
        assert command.startswith("nst content=")
        with Image.open(picture if isinstance(picture, str) else picture["path"]) as image:
            assert image.size == (64, 48)
        assert len(list((tmp_path / "runs").glob("*/*/result.png"))) == 1
    finally:
        process.terminate()
        process.communicate(timeout=60)
