# Every target makes the virtual environment first; nothing is installed outside this folder.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY  := $(VENV)/ready
TEACH  := $(VENV)/ready-teach
CLUSTER := $(VENV)/ready-cluster
# A class without a network: make wheelhouse once, carry the folder, then make install WHEELHOUSE=wheelhouse
OFFLINE := $(if $(WHEELHOUSE),--no-index --find-links $(WHEELHOUSE))
OUT    ?= figures
# make test FILES=tests/ideas: one room, or one file. WORKERS: how many tests run at the same time
FILES  ?= tests
WORKERS ?= 2
PYTEST  = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=20
JAX    := .venv-jax
WEB    := fcn_keras/explainer/web
TOOLS  := $(WEB)/node_modules/ready
# What must not depend on the backend
ANYWHERE := tests/ideas tests/data tests/training

.PHONY: help install lecture readme-picture explainer-tools explainer-bundle test test-long quick test-backends benchmarks notebooks course assignments grade slides lint types weights data wheelhouse clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?(.*)/  make \1\t\2/' | expand -t 22

install: $(READY)  ## the virtual environment .venv with everything in it

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"fcn_keras needs Python 3.11, 3.12 or 3.13, this is {v[0]}.{v[1]}. With another one installed: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(OFFLINE) -r requirements.txt
	@touch $(READY)

$(TEACH): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(OFFLINE) -c constraints.txt -e .[teach,deep]
	@touch $(TEACH)

$(CLUSTER): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(OFFLINE) -c constraints.txt -e .[cluster]
	@touch $(CLUSTER)

lecture: $(READY)  ## the lecture's experiment and its figures, in figures/
	$(BIN)/python -m fcn_keras lecture --out $(OUT)

readme-picture: $(READY)  ## the README's picture, docs/result.png, from what make lecture trained
	$(BIN)/python -m fcn_keras.lecture.readme_picture --out docs/result.png

# What builds the explainer's page and drives it in browsers. Whoever only uses the page needs none of it.
$(TOOLS): $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error --ignore-scripts
	@touch $(TOOLS)

explainer-tools: $(TOOLS)  ## npm's packages, to build the explainer's page and to test it in browsers

explainer-bundle: $(TOOLS)  ## build the scripts of the explainer's page again from their sources
	node $(WEB)/build.mjs

# The browser tests run where Node.js and a browser are; `make test` says so where they are not.
BROWSERS = $(if $(and $(shell command -v npm),$(shell command -v chromium chromium-browser google-chrome)),$(TOOLS))

test: $(TEACH) $(CLUSTER) $(BROWSERS)  ## one test of each kind: 10 minutes on two cores; FILES=tests/ideas: only these
	@$(if $(BROWSERS),true,echo "The browser tests are skipped: they need npm and chromium.")
	$(PYTEST) -m "not long" $(FILES)

test-long: $(TEACH) $(CLUSTER) $(BROWSERS)  ## what make test leaves out: further values, three seeds, twenty kills: an hour or two
	$(PYTEST) -m long $(FILES)

quick: $(READY)  ## what a change to the ideas breaks, in less than a minute
	$(PYTEST) -m "not long and not slow" tests/ideas

$(JAX)/ready: requirements-jax.txt constraints.txt
	$(PYTHON) -m venv $(JAX)
	$(JAX)/bin/python -m pip install --quiet --disable-pip-version-check $(OFFLINE) -r requirements-jax.txt
	$(JAX)/bin/python -m pip install --quiet --disable-pip-version-check $(OFFLINE) --no-deps -e .
	@touch $(JAX)/ready

test-backends: $(READY) $(JAX)/ready  ## ideas, data and training on JAX, and on PyTorch if it is installed: 20 minutes each
	KERAS_BACKEND=jax FCN_KERAS_OTHER_PYTHON=$(BIN)/python FCN_KERAS_OTHER_BACKEND=tensorflow $(JAX)/bin/python -m pytest -m "not long" $(ANYWHERE)
	@if $(BIN)/python -c 'import torch' 2>/dev/null; then KERAS_BACKEND=torch FCN_KERAS_OTHER_PYTHON=$(BIN)/python \
	FCN_KERAS_OTHER_BACKEND=tensorflow $(BIN)/python -m pytest -m "not long" $(ANYWHERE); else echo "PyTorch is not installed: not tried."; fi

benchmarks: $(READY)  ## what everything costs on this machine, and the README's table of it: 45 minutes
	@for name in startup forward growth memory lecture_loop; do $(BIN)/python benchmarks/$$name.py || exit 1; done
	$(BIN)/python benchmarks/tiled.py --side 20000
	$(BIN)/python benchmarks/lecture_loop.py --score
	$(BIN)/python benchmarks/head_width.py
	$(BIN)/python benchmarks/table.py

notebooks: $(READY)  ## JupyterLab in notebooks/
	$(BIN)/python -m jupyter lab notebooks

course: $(READY)  ## run the notebooks' sources and write the executed notebooks again
	$(BIN)/python notebooks/build.py

assignments: $(TEACH)  ## the students' versions of the assignments; COURSE=DIR: with your own hidden tests
	$(BIN)/python -m fcn_keras assignments $(if $(COURSE),--course $(COURSE))

grade: $(TEACH)  ## grade a folder: make grade SUBMISSIONS=DIR [COURSE=DIR] [OUT=DIR]
	$(BIN)/python -m fcn_keras grade $(SUBMISSIONS) --out $(if $(filter figures,$(OUT)),grading,$(OUT)) $(if $(COURSE),--course $(COURSE))

slides: $(READY)  ## a deck from each notebook, in slides/; NAME=05: only that one
	$(BIN)/python notebooks/slides.py $(NAME) --out slides

lint: $(READY)  ## style, common mistakes, and layout
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check fcn_keras tests benchmarks notebooks

types: $(TEACH) $(CLUSTER)  ## the type annotations, checked by pyright
	$(BIN)/python -m pyright --pythonpath $(BIN)/python

weights: $(READY)  ## train the small VGG again, as it ships
	$(BIN)/python -m fcn_keras.pretraining --out fcn_keras/weights/small_vgg.npz

data: $(READY)  ## draw the scenes in data/road_scenes again
	$(BIN)/python -m fcn_keras scenes --out data/road_scenes --count 24

wheelhouse: $(READY)  ## every wheel in one folder, for installing without a network
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --wheel-dir wheelhouse -r requirements.txt -c constraints.txt nbgrader tifffile imagecodecs "jax>=0.10,<0.11" "ray[data]>=2.60,<2.64" "setuptools>=77"
	@echo "Copy this folder, wheelhouse included. There: make install WHEELHOUSE=wheelhouse"
	@echo "or: python -m pip install --no-index --find-links wheelhouse -r requirements.txt"

clean:           ## remove what was made: environment, figures, wheels, caches
	rm -rf $(VENV) $(JAX) wheelhouse figures slides build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
