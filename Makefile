# The commands of the project. `make help` lists them.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
PEERS   := testdata/peers

.PHONY: help build demo test check bench bench-quick fuzz soak peers office browser postgres

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./aimcheck, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.built=$(VERSION)" -o aimcheck ./cmd/aimcheck

demo: build ## run the main job on imitations of both directories, and show the reports
	./aimcheck demo

test: peers office browser postgres ## run every test, with the race detector, the vendors' descriptions and independent peers included
	AIMCHECK_PEERS=$(CURDIR)/$(PEERS) $(GO) test -race -timeout 20m ./...

peers: $(PEERS)/node_modules/.installed

$(PEERS)/node_modules/.installed: $(PEERS)/package-lock.json
	cd $(PEERS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# Chromium, in which the HTML report is looked at and used.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		{ apt-get update -q && apt-get install -qy --no-install-recommends chromium; } >/dev/null 2>&1 || \
		echo "Chromium can't be installed here: install chromium, or the tests of the HTML report in a browser are left out"

# LibreOffice, in which people fill in decisions: a test reads back what it saves.
office:
	@command -v soffice >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends libreoffice-calc; } >/dev/null 2>&1 || \
		echo "LibreOffice can't be installed here: install libreoffice-calc, or the test of workbooks it saved is left out"

# PostgreSQL, in which a team keeps its history: tests start a server of their own.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		{ apt-get update -q && apt-get install -qy --no-install-recommends postgresql; } >/dev/null 2>&1 || \
		echo "PostgreSQL can't be installed here: install postgresql, or the history is tested with SQLite alone"

check: ## look for what tests don't find: gofmt, vet, staticcheck, and known flaws where their database can be had
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "not gofmt-ed: run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) mod verify
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@sh .ci/govulncheck

bench: peers browser ## measure every figure beside its peer, and write BENCHMARKS.md: half an hour or more on two cores, 11 GB of disk for a while
	AIMCHECK_PEERS=$(CURDIR)/$(PEERS) $(GO) run ./internal/bench $(BENCHFLAGS)

bench-quick: peers browser ## the same on a small company, to see that it runs
	AIMCHECK_PEERS=$(CURDIR)/$(PEERS) $(GO) run ./internal/bench -quick

fuzz: ## let every fuzz target look for trouble, FUZZTIME each
	@sh .ci/fuzz $(or $(FUZZTIME),30s)

soak: ## run the long forms of the tests: minutes to hours
	AIMCHECK_SOAK=1 AIMCHECK_PEERS=$(CURDIR)/$(PEERS) $(GO) test -race -timeout 4h -count 1 ./...
	$(GO) test -timeout 4h -count 1 $$(git grep -l pgregory.net/rapid -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') -rapid.checks=20000

.PHONY: report-assets
report-assets: ## make the libraries of the HTML report again, from the pinned packages
	cd report/assets/lib && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && \
		node_modules/esbuild/bin/esbuild entry.js --bundle --minify --format=iife --global-name=lib --target=es2022 \
			--charset=ascii --legal-comments=none --log-level=error --outfile=lib.min.js && \
		for p in lit-html d3-sankey d3-array d3-shape d3-path; do \
			printf '%s %s\n\n' $$p "$$(node -p "require('./node_modules/$$p/package.json').version")"; cat node_modules/$$p/LICENSE; echo; \
		done > LICENSES.txt && sha256sum lib.min.js LICENSES.txt > SHA256SUMS
