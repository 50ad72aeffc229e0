# The verbs of the course. Each is one visible command; `make` alone lists them.
PYTHON ?= python3
PIP_FLAGS ?=
SITE_FLAGS ?=
EXTRAS ?= dev
SEEDS ?= 2
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup lab site test thorough browser lint build check audit audit-full demo full bench models pretrain pictures doctor clean

help:  ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(READY)  ## make .venv with everything the course needs

# Runs again only when what is to be installed has changed.
$(READY): pyproject.toml constraints.txt jupyter/find_course_config.py jupyter/lab_settings.json jupyter/server_extension.json $(wildcard jupyter/templates/*/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The course needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off $(PIP_FLAGS) --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

lab: $(READY)  ## open the course in JupyterLab
	$(BIN)/mmdl build
	$(BIN)/jupyter lab

site: $(READY)  ## make build/site: every notebook as a web page, with figures and without solutions (SITE_FLAGS=--full: all training)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) --constraint constraints.txt --editable '.[dev,site]'
	$(BIN)/mmdl site $(SITE_FLAGS)

test: $(READY)  ## run every test
	$(BIN)/python -m pytest

thorough: $(READY)  ## the tests that take too long for every day: honest answers of every week, the weak sandbox
	$(BIN)/python -m pytest -m exhaustive

browser: $(READY)  ## open every week in JupyterLab, in Chromium; `make test` opens the first where Playwright is there
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) --constraint constraints.txt --editable '.[dev,browser]'
	MMDL_BROWSER_WEEKS=all $(BIN)/python -m pytest tests/browser

lint: $(READY)  ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

build: $(READY)  ## make notebooks/ from solutions/
	$(BIN)/mmdl build

check: $(READY)  ## fail when notebooks/ is not what solutions/ would give
	$(BIN)/mmdl build --check

audit: $(READY)  ## test the tests: wheats and chaffs, few seeds
	$(BIN)/mmdl audit --seeds $(SEEDS)

audit-full: $(READY)  ## test the tests with 20 seeds
	$(BIN)/mmdl audit --seeds 20

demo: $(READY)  ## make a class of 24 submissions, grade it, show the report
	$(BIN)/mmdl demo

full: $(READY)  ## run every lesson in full, as solved, and say how long it took
	$(BIN)/python benchmarks/lessons.py --budget full

bench: $(READY)  ## measure performance: the world, and the lessons under the grading budget
	$(BIN)/python benchmarks/world.py
	$(BIN)/python benchmarks/explorers.py
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/lessons.py --budget grading

models: $(READY)  ## fetch the pretrained models and run their tests
	$(BIN)/mmdl fetch
	$(BIN)/python -m pytest tests/test_fetch.py tests/architectures/test_pretrained.py tests/architectures/test_pretrained_clip.py

pretrain: $(READY)  ## make the course's own small models again, and compare them with what ships
	for name in miniclip captioner autoencoder; do $(BIN)/mmdl pretrain $$name || exit 1; done

pictures: $(READY)  ## draw the README's pictures again
	$(BIN)/python docs/pictures.py

doctor: $(READY)  ## say what is missing or mismatched, and the remedy
	$(BIN)/mmdl doctor

clean:  ## remove everything that the verbs above have made, except students' work and marks
	rm -rf .venv build
