# Everything runs in .venv, which is made on first use and again when pyproject.toml changes.

BIN := .venv/bin
READY := .venv/.ready
PYTEST_ARGS ?=

.PHONY: help demo test test-all fuzz mutate lint bench docs clean

help:
	@echo 'make demo      compile the examples to every system and show what comes out'
	@echo 'make test      run the tests; those whose programs are absent say why they are skipped'
	@echo 'make test-all  install the programs that some tests need, and run every test'
	@echo 'make fuzz      search long for workflows and texts that break a promise (FUZZ_SECONDS=600)'
	@echo 'make mutate    break copies of the compiler on purpose and see whether the tests notice'
	@echo 'make lint      ruff and mypy'
	@echo 'make bench     measure speed and memory against PyYAML'
	@echo 'make docs      generate the pages that are made from the code'
	@echo 'make clean     remove .venv and everything that was made'

$(READY): pyproject.toml .ci/venv
	@sh .ci/venv
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python docs/demo.py

test: $(READY)
	@$(BIN)/python -m pytest -q $(PYTEST_ARGS)

# a Slurm that cannot be started is no failure here: the tests that need it say why they are skipped
test-all: $(READY)
	@sh .ci/packages shellcheck
	@known=$$(bash tests/slurm/install.sh) || known=; eval "$$known"; \
	    $(BIN)/python -m pytest -q -m "" $(PYTEST_ARGS); status=$$?; \
	    bash tests/slurm/install.sh --stop; exit $$status

FUZZ_SECONDS ?= 600

fuzz: $(READY)
	@$(BIN)/python tests/fuzz/run.py $(FUZZ_SECONDS)

mutate: $(READY)
	@$(BIN)/python tests/mutation/run.py $(MUTATIONS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python tests/bench/bench.py

docs: $(READY)
	@$(BIN)/python docs/generate.py

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
