"""The command in a folder of its own."""

import sys

import pytest

from nst_jax.shell import main


@pytest.fixture
def nst(monkeypatch, capfd, tmp_path):
    """Run the command in a folder of its own: its exit code, and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["nst", *map(str, words)])
        try:
            main.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        return code, out + err

    return run
