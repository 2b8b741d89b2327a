"""The cache: downloaded and converted once, and whatever is damaged is made again, aloud."""

import hashlib

import pytest
import weight_files
from local_server import at, running

from nst_jax.extractors import architecture
from nst_jax.shell.errors import UserError
from nst_jax.shell.io import cache, weights


@pytest.fixture
def server():
    with running() as web:
        yield web


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_JAX_CACHE", str(tmp_path))
    monkeypatch.delenv("NST_JAX_MIRROR", raising=False)
    return tmp_path


def names(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def said(server, monkeypatch, tmp_path_factory):
    """A published set on our own server; what the loading says."""
    file = weight_files.keras(tmp_path_factory.mktemp("web") / "a.h5", weight_files.synthetic())
    server.content = file.read_bytes()
    files = at(server, "good", digest=cache.digest(file, "md5"))
    monkeypatch.setitem(architecture("vgg19").sources, "keras", files)
    return []


def load(said, source="keras"):
    return weights.load(source, network="vgg19", needed=("conv1_2",), log=said.append)


def test_downloaded_and_converted_once(server, place, said):
    first, again = load(said), load(said)
    assert len(server.seen) == 1
    assert [word.split()[0] for word in said] == ["downloading", "converting"]
    assert names(place) == ["a.h5", "a.h5.safetensors", "a.h5.safetensors.sha256"]
    assert first[1:] == again[1:]
    assert first.sha256 == hashlib.sha256(server.content).hexdigest()


def test_a_damaged_conversion_is_made_again_aloud(server, place, said):
    load(said)
    converted = place / "a.h5.safetensors"
    converted.write_bytes(converted.read_bytes()[:-1] + b"x")
    load(said)
    assert any("damaged, its checksum is wrong" in word for word in said)
    assert len(server.seen) == 1
    assert cache.is_intact(converted)


def test_a_damaged_download_is_fetched_again_aloud(server, place, said):
    load(said)
    (place / "a.h5.safetensors.sha256").unlink()  # as if killed between the file and its checksum
    (place / "a.h5").write_bytes(b"damaged")
    load(said)
    assert any("damaged, its hash is wrong" in word for word in said)
    assert len(server.seen) == 2


def test_a_file_without_the_needed_layer_is_refused_from_the_cache_too(said):
    load(said)
    with pytest.raises(UserError, match="conv5_1 too"):
        weights.load("keras", network="vgg19", needed=("conv5_1",), log=said.append)


def test_auto_downloads_and_then_finds_the_cache(server, said):
    assert "keras, downloaded" in load(said, "auto").source
    assert "keras from the cache" in load(said, "auto").source
    assert len(server.seen) == 1
    assert "weights=auto: taking keras, from the cache" in said[-1]
