# A fresh machine needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/installed

.PHONY: demo test lint docs benchmark browser gpu clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/photostyle run \
		--content examples/city.jpg --content-mask masks/city.png \
		--style examples/night.jpg --style-mask masks/night.png \
		--out out/city-at-night.png --sheet out/sheet.png

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	# One thread a worker: two workers already fill two cores.
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

# What the tests of the page in a browser need; without it they are skipped.
browser: $(STAMP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraints constraints.txt '.[browser]'
	command -v chromium || apt-get install --yes chromium
	npm install --silent --prefix build/axe axe-core

docs: $(STAMP)
	$(BIN)/python docs/build.py --out build/docs

benchmark: $(STAMP)
	for file in tests/benchmarks/bench_*.py; do \
		[ $$file = tests/benchmarks/bench_gpu.py ] || $(BIN)/python $$file || exit 1; \
	done

# On a machine with a GPU: all its checks and benchmarks, in one table.
gpu: $(STAMP)
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_gpu.py

clean:
	rm -rf .venv build out *.egg-info .mypy_cache .ruff_cache .pytest_cache
