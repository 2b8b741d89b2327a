"""Trackers, after the fact, from the plain files."""

import json

import pytest
from sweep_lines import ADAM, sweep_folder

from nst_jax.shell.cli import export
from nst_jax.shell.reports.export import read_scalars


@pytest.fixture
def swept(nst):
    code, text = nst("-m", *ADAM, "seed=0,1")
    assert code == 0, text
    return sweep_folder(text).absolute()


@pytest.fixture
def command(called):
    """Run `nst-export`."""
    return lambda *words: called(export.main, "nst-export", *words)


@pytest.mark.filterwarnings("ignore")
def test_tensorboard(swept, command):
    pytest.importorskip("tensorboardX")
    code, text = command(swept, "tensorboard")
    assert code == 0, text
    events = list((swept / "tensorboard").glob("*/events*"))
    assert len(events) == 2
    assert b"style/relu1_1" in events[0].read_bytes()
    assert b"\x89PNG" in events[0].read_bytes()
    command(swept, "tensorboard")
    assert len(list((swept / "tensorboard").glob("*/events*"))) == 2


@pytest.mark.filterwarnings("ignore")
def test_mlflow(swept, command):
    pytest.importorskip("mlflow.tracking")
    pytest.importorskip("sqlalchemy")
    for _ in range(2):  # the second time nothing is added
        code, text = command(swept, "mlflow")
        assert code == 0, text
    from mlflow.tracking import MlflowClient  # pyright: ignore[reportMissingImports]

    client = MlflowClient(f"sqlite:///{swept / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(swept.name)
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2
    assert {r.data.params["seed"] for r in runs} == {"0", "1"}
    assert [m.step for m in client.get_metric_history(runs[0].info.run_id, "total")] == [0, 2, 4]
    assert [a.path for a in client.list_artifacts(runs[0].info.run_id)] == ["result.png"]


def test_one_line_at_the_end_of_a_sweep(nst, monkeypatch):
    asked = []
    monkeypatch.setattr("nst_jax.shell.reports.export.run", lambda folder, tracker: asked.append(tracker))
    assert nst("-m", *ADAM, "seed=0,1", "steps=0", "sweep.export=[mlflow]")[0] == 0
    assert asked == ["mlflow"]


def test_mistakes(tmp_path, command):
    assert command(tmp_path, "mlflow") == (2, f"nst-export: {tmp_path}: no run is here\n")
    assert "tensorboard, mlflow" in command(tmp_path, "wandb")[1]
    assert command()[0] == 2
    assert command("--help")[0] == 0


def test_scalars_have_the_names_of_the_terms(tmp_path):
    line = {"step": 4, "seconds": 0.5, "total": 3.0, "weighted": {"style": 2.0, "near": 1.0}}
    line |= {"terms": {"style/relu1_1": 0.1, "near/image": 7.0}}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    ((step, scalars),) = read_scalars(tmp_path)
    assert step == 4
    assert scalars == {
        "seconds": 0.5,
        "total": 3.0,
        "weighted/style": 2.0,
        "weighted/near": 1.0,
        "terms/style/relu1_1": 0.1,
        "terms/near/image": 7.0,
    }
