# Two commands do all the set-up: make demo, make test.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := python3 python python3.13 python3.12 python3.11 $(wildcard $(HOME)/.pyenv/versions/3.1[123]*/bin/python)
FITS := 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'

.PHONY: help demo test test-fast campaign experiment experiments-smoke lint docs clean

help:
	@echo "make demo   stylise a bundled picture and say where the result is"
	@echo "make test   run the whole test suite"
	@echo "make test-fast | lint | clean | campaign (half an hour of random damage, see docs/explanations/reliability.md)"
	@echo "make docs   build the site into build/site"
	@echo "make experiment NAME=start WORDS=\"content=photo.jpg style=painting.jpg\"   one of experiments/papers/; without NAME: all of them, and what they cost"
	@echo "make experiments-smoke   all of them, two steps each"

demo: $(VENV)/installed
	$(BIN)/nst content=nst_jax/pictures/landscape.jpg style=nst_jax/pictures/brush.jpg network=distilled size=384 steps=150

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

test-fast: $(VENV)/installed-test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m "not slow"

campaign: $(VENV)/installed-test
	NST_CAMPAIGN=$${NST_CAMPAIGN:-1} $(BIN)/python -m pytest tests/shell/test_kills.py tests/shell/test_fuzz_settings.py \
		tests/shell/test_hostile_weights.py tests/shell/test_hostile_pictures.py tests/shell/test_words.py \
		tests/shell/test_small_disk.py tests/shell/sweeps/test_many_programs.py

experiment: $(VENV)/installed
	$(BIN)/python -m $(if $(NAME),experiments.papers.$(NAME) $(WORDS),experiments)

experiments-smoke: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/test_experiments.py

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

docs: $(VENV)/installed-docs
	JAX_PLATFORMS=cpu $(BIN)/python -m sphinx -q --fail-on-warning --keep-going -b html -d build/doctrees docs build/site
	@echo "The front page is $(CURDIR)/build/site/index.html"

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $(VENV)/installed $@

$(VENV)/installed-docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $(VENV)/installed $@

$(VENV)/bin/python:
	@for python in $(CANDIDATES); do \
		if $$python -c $(FITS) 2>/dev/null; then \
			echo "Python: $$($$python --version) ($$python)"; exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with venv was found (tried: $(CANDIDATES))." >&2; \
	echo "Install one (python.org, pyenv, or: apt install python3 python3-venv) and run make again." >&2; \
	exit 1

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .import_linter_cache
