"""The commands, run in a folder of their own."""

import sys

import pytest

from nst_jax.shell.cli import nst as main


@pytest.fixture
def called(monkeypatch, capfd):
    """Run the main function of a command: its exit code, and what it printed."""

    def run(command, name, *words):
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        try:
            command()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, "".join(capfd.readouterr())

    return run


@pytest.fixture
def nst(called, monkeypatch, tmp_path):
    """Run `nst` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: called(main.main, "nst", *words)
