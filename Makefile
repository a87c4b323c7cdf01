# One command each: `make demo` shows it, `make test` proves it. Needs only make and Python 3.11 or newer; all it makes is in .tools and .venv.
# `make help` lists the rest; `make test PYTHON=python3.12` chooses the interpreter; docs/decisions/002-one-command-each.md says why.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test benchmarks lint format types imports docs data wheel lock clean

# The first interpreter that is new enough, since `python3` is an old one on some machines.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
endif

# What another environment left behind must not leak into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Trust whom the machine trusts, as pip does: behind a proxy of a company uv would refuse its own bundle of authorities.
export UV_SYSTEM_CERTS ?= true

# An environment carries in its stamp's name what it was made from, by content: a checkout that only touches files rebuilds nothing.
LOCKS := requirements/dev.txt requirements/uv.txt pyproject.toml
MADE_FROM := $(shell $(PYTHON) -c 'import sys, zlib; \
	print("%d.%d-%08x" % (*sys.version_info[:2], zlib.crc32(b"".join(open(f, "rb").read() for f in sys.argv[1:]))))' $(LOCKS) 2>/dev/null)
READY := .venv/.made-from-$(MADE_FROM)
RUN := .venv/bin/python -m

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1	/p' Makefile | expand -t 12

demo: $(READY) ## assign the sample batch: a summary here, files in out/demo
	@.venv/bin/apportion demo $(ARGS)

# More workers than eight cost more in imports than they win; one thread each, so that they do not fight for cores.
test: $(READY) ## run all tests; ARGS="-k name" picks, APPORTION_TEST_SIZE=full tries more cases
	@OMP_NUM_THREADS=1 $(RUN) pytest -n auto --maxprocesses 8 $(ARGS)

benchmarks: $(READY) ## side by side with what a user would pick instead; ARGS="--quick", ARGS="--huge", ARGS="counts"; tables and plots in out/benchmarks
	@$(RUN) benchmarks $(ARGS)

lint: $(READY) ## style of the code
	@$(RUN) ruff check . && $(RUN) ruff format --check .

format: $(READY) ## mend what `make lint` can mend
	@$(RUN) ruff check --fix . ; $(RUN) ruff format .

types: $(READY) ## strict types of both packages and the benchmarks
	@$(RUN) mypy

imports: $(READY) ## the rooms know each other one way only
	@.venv/bin/lint-imports

docs: $(READY) ## write again the pages that come from the code, and try every page's links and examples
	@$(RUN) apportion.policy.guide docs
	@.venv/bin/python -c 'from pathlib import Path; from apportion_models.tables import data_dictionary; \
		Path("docs/data-dictionary.md").write_text(data_dictionary(), encoding="utf-8")'
	@$(RUN) pytest -q tests/packaging/test_docs.py docs README.md

data: $(READY) ## write the sample company again, byte for byte
	@$(RUN) apportion_models.synthetic --out data

wheel: $(READY) ## dist/apportion-….whl, its contents asserted
	@rm -rf dist && $(RUN) hatchling build -t wheel -d dist
	@APPORTION_WHEEL=dist $(RUN) pytest -q tests/packaging/test_wheel.py

# Neither a machine's own configuration nor its indexes may get into a lock: hashes name the files, whoever serves them.
LOCK := UV_NO_CONFIG=1 .tools/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: .tools/bin/uv ## pin again what pyproject.toml allows; ARGS=--upgrade takes the newest
	@$(LOCK) $(ARGS) --group dev --extra service --extra console --extra notebooks pyproject.toml -o requirements/dev.txt
	@$(LOCK) -c requirements/dev.txt pyproject.toml -o requirements/core.txt
	@$(LOCK) -c requirements/dev.txt --extra service pyproject.toml -o requirements/service.txt
	@$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
	| $(LOCK) -c requirements/dev.txt - -o requirements/build.txt
	@$(LOCK) $(ARGS) --group tools -o requirements/uv.txt

clean: ## remove all that the commands above have made
	rm -rf .venv .tools dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find models solver benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

NEW_ENOUGH = [ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "Apportion needs Python 3.11 or newer, and '$(or $(PYTHON),python3)' is not. Name one: make test PYTHON=/path/to/python" >&2; exit 1; }

# uv installs in seconds what takes pip minutes. Where uv cannot reach an index that pip is set up to use, pip does it, by the same hashes.
$(READY): | .tools/bin/uv
	@$(NEW_ENOUGH)
	@echo "Making .venv (once) ..." >&2
	@rm -rf .venv && $(PYTHON) -m venv --without-pip .venv
	@.tools/bin/uv pip sync -q --python .venv/bin/python --require-hashes requirements/dev.txt \
	|| { echo "uv could not; pip tries, which takes some minutes ..." >&2; \
	     .tools/bin/python -m pip --python .venv/bin/python install -q --require-hashes -r requirements/dev.txt; }
	@.tools/bin/uv pip install -q --offline --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.tools/bin/uv: requirements/uv.txt
	@$(NEW_ENOUGH)
	@rm -rf .tools && $(PYTHON) -m venv .tools \
	|| { rm -rf .tools; echo "Python's venv is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@.tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@
