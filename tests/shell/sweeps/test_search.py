"""Searches with Optuna: in batches of lanes, continued by name, with failures that never reach the sampler."""

import pytest
from sweep_lines import ADAM, sweep_folder, table

optuna = pytest.importorskip("optuna")

SEARCH = ("hydra/sweeper=optuna", "hydra.sweeper.batch=2", "style_weight=tag(log,interval(1e1,1e5))", "steps=2")


def trials_of(folder):
    """The trials in the folder's database, which is closed again."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.db'}")
    try:
        return optuna.load_study(study_name="sweep", storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def test_a_search_and_its_continuation(nst):
    line = ("-m", *ADAM, *SEARCH, "network.pool=max,avg", "sweep.objective=ssim_content", "sweep.direction=maximize")
    code, text = nst(*line, "hydra.sweeper.trials=4")
    assert code == 0, text
    assert "best: style_weight=" in text
    folder = sweep_folder(text)
    trials = trials_of(folder)
    assert len(trials) == len(table(folder)) == 4
    best = max(float(r["ssim_content"]) for r in table(folder))
    assert max(trial.value for trial in trials_of(folder)) == pytest.approx(best)
    code, text = nst(*line, "hydra.sweeper.trials=6")
    assert code == 0, text
    assert sweep_folder(text) == folder
    assert len(trials_of(folder)) == 6


def test_two_objectives(nst):
    aims = ("sweep.objective=[ssim_content,style_distance]", "sweep.direction=[maximize,minimize]")
    code, text = nst("-m", *ADAM, *SEARCH, *aims, "hydra.sweeper.trials=2")
    assert code == 0, text
    assert all(len(t.values) == 2 for t in trials_of(sweep_folder(text)))


def test_what_is_not_finite_is_a_failed_trial(nst):
    wild = ("optimiser=sgd", "optimiser.clamp=false", "optimiser.learning_rate=1e30", "steps=9")
    code, text = nst("-m", *ADAM, *SEARCH, *wild, "hydra.sweeper.trials=2")
    assert code == 1, text
    trials = trials_of(sweep_folder(text))
    assert {t.state for t in trials} == {optuna.trial.TrialState.FAIL}
    assert all(t.values is None for t in trials)


def test_an_objective_that_is_no_column(nst):
    code, text = nst("-m", *ADAM, *SEARCH, "sweep.objective=beauty", "hydra.sweeper.trials=1")
    assert code == 2
    assert "there is no beauty" in text
    assert "ssim_content" in text
