# Two commands: `make lab` and `make test`. Both make what is missing, and cost nothing when repeated.
# Works with GNU make 3.81 (macOS) and later.

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LAB_FLAGS ?=
TEST_FLAGS ?=
ZOO_FLAGS ?=
EXAM_FLAGS ?=
CALIBRATE_FLAGS ?=
SITE_FLAGS ?=
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: help install lab test test-fast bench zoo exam calibrate lessons site lint lock chromium
.DEFAULT_GOAL := help

help:
	@echo "make lab        open the lessons in JupyterLab (LAB_FLAGS='--no-browser --port 8899' to change how)"
	@echo "make test       the whole test suite"
	@echo "make test-fast  without browser, lessons and other slow tests"
	@echo "make bench      speed beside the raw frameworks and other libraries"
	@echo "make zoo        which methods are exact on which architectures (ZOO_FLAGS='--only LSTM' for some)"
	@echo "make exam       faults planted on purpose and sound models: what the audit catches (EXAM_FLAGS='--seeds 2')"
	@echo "make calibrate  the audit's clean ranges, measured anew on sound models (CALIBRATE_FLAGS='--dry-run')"
	@echo "make lessons    students' and teachers' notebooks from their source"
	@echo "make site       the lessons, run, as pages in build/site (SITE_FLAGS='--only 4' for some)"
	@echo "make lint       style and import arrows"
	@echo "make lock       write requirements.lock anew from what is installed in $(VENV)"

install: $(STAMP)

# Of the interpreters on the path, the first that is new enough.
$(BIN)/python:
	@set -e; found=; \
	for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "dlexplain needs Python 3.11 or later; python3 here is: $$(python3 --version 2>&1 || true)."; \
	  echo "Install a newer Python, then run: make $(MAKECMDGOALS) PYTHON=/path/to/it"; exit 1; fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "This Python ($$found) cannot make environments: its venv or ensurepip module is missing."; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run make again."; exit 1; fi; \
	echo "Making $(VENV) with $$found ($$($$found --version))"; \
	$$found -m venv "$(VENV)" || { rm -rf "$(VENV)"; exit 1; }

$(STAMP): $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing dlexplain and what it needs (some minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/dlexplain doctor --guard-kernels >/dev/null
	@touch $(STAMP)

# .jupyter/ switches off Jupyter's news and its check for updates, for this server alone: a classroom may have
# no network, and a first visit should not begin with a question. One's own settings stay as they are.
lab: $(STAMP)
	JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" \
	  $(BIN)/python -m jupyter lab $(LAB_FLAGS) notebooks/00_start_here.ipynb

test: $(STAMP) chromium
	$(PYTEST) $(TEST_FLAGS)

test-fast: $(STAMP)
	$(PYTEST) -m "not slow and not browser and not lessons and not triton" $(TEST_FLAGS)

# A browser of the system is taken if there is one; otherwise Playwright fetches its own, once.
chromium: $(STAMP)
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
	  || $(BIN)/python -m playwright install chromium \
	  || { echo "No Chromium for the browser tests. Install one (Debian: sudo apt-get install chromium)."; exit 1; }

bench: $(STAMP)
	$(BIN)/python -m benchmarks

zoo: $(STAMP)
	$(BIN)/python -m tests.zoo $(ZOO_FLAGS)

exam: $(STAMP)
	$(BIN)/python -m dlexplain.audit.exam $(EXAM_FLAGS)

calibrate: $(STAMP)
	$(BIN)/python -m dlexplain.audit.calibration $(CALIBRATE_FLAGS)

site: $(STAMP)
	$(BIN)/dlexplain lessons site $(SITE_FLAGS)

lessons: $(STAMP)
	$(BIN)/dlexplain lessons build

lint: $(STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/lint-imports

lock: $(BIN)/python pyproject.toml
	$(BIN)/python .ci/lock.py > requirements.lock.new
	mv requirements.lock.new requirements.lock
