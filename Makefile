# Potluck needs Go, git and make; on Debian and Ubuntu `make` installs the
# system packages that are missing (see .ci/packages), elsewhere README.md
# has their names.
#
#   make run       builds Potluck and opens its window
#   make test      runs every test
#   make lint      looks for what tests do not find
#   make help      lists the rest

GO ?= go
GOOS := $(shell $(GO) env GOOS)
EXE := $(shell $(GO) env GOEXE)

# How the window is built. On Linux Fyne draws with OpenGL ES: every driver of
# a desktop has it, and its binding compiles in half a minute where that of
# desktop OpenGL takes three, most of the first build. Windows and macOS ship
# no OpenGL ES. Animations would repaint the window while nothing happens (a
# blinking cursor, 12 times a second); migrated_fynedo says that all changes to
# the window are made on its own thread.
TAGS := no_animations,migrated_fynedo
ifeq ($(GOOS),linux)
TAGS := gles,$(TAGS)
endif

# The flags are the same in every target, for each other set of them compiles
# everything anew. The version control's stamp is left out, because it links
# the program anew with every commit and fails where git mistrusts the folder.
BUILD := $(GO) build -buildvcs=false

BIN := build/potluck$(EXE)
HEADLESS := build/potluck-headless$(EXE)

# Tools of their own version each, so that another one is another file.
GOFUMPT_VERSION := v0.9.2
GOLANGCI_VERSION := v2.6.1
PROTOC_GEN_GO_VERSION := v1.36.11
TOOLS := $(CURDIR)/build/tools
GOFUMPT := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt$(EXE)
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint$(EXE)
PROTOC_GEN_GO := $(TOOLS)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION)/protoc-gen-go$(EXE)

# What `make test` gives each fuzz target, and what `make fuzz` does.
FUZZTIME := 2s
LONG_FUZZTIME ?= 2m

.PHONY: run
run: build ## builds Potluck and opens its window; ARGS="--data /tmp/x" are handed on
	@.ci/packages run
	$(BIN) $(ARGS)

.PHONY: build
build: ## builds the window program, build/potluck
	@.ci/packages build
	$(BUILD) -tags $(TAGS) -o $(BIN) .

.PHONY: headless
headless: ## builds the static program without a window, which needs no C compiler
	CGO_ENABLED=0 $(BUILD) -tags headless -o $(HEADLESS) .

# What looks at how long things take runs one after the other, after the rest.
TIMED := .*/app|.*/app/hostile|.*/net/discovery|.*/net/transfer|.*/net/transfer/limit
TEST := POTLUCK_BIN=$(CURDIR)/$(BIN) POTLUCK_HEADLESS=$(CURDIR)/$(HEADLESS) POTLUCK_ARTEFACTS=$(CURDIR)/build \
	$(GO) test -race -tags headless -timeout 15m

# The race detector looks at everything but the program with the window, which
# would be a second cold build of the GL binding. The tests get the programs
# that were built, as a user has them.
.PHONY: test
test: build headless ## runs every test
	@.ci/packages run test
	$(TEST) $$($(GO) list -tags headless ./... | grep -vxE '$(TIMED)')
	$(TEST) -p 1 $$($(GO) list -tags headless ./... | grep -xE '$(TIMED)')
	@.ci/fuzz $(FUZZTIME)

# Without the tag and the word of migrated_fynedo the toolkit looks from which
# thread it is called.
THREADS := build/potluck-threads$(EXE)
.PHONY: test-threads
test-threads: ## runs the tests of the window with a build that tells of calls from the wrong thread
	@.ci/packages build run test
	$(BUILD) -tags $(subst migrated_fynedo,thread_checks,$(TAGS)) -o $(THREADS) .
	POTLUCK_STRICT=1 POTLUCK_BIN=$(CURDIR)/$(THREADS) \
		$(GO) test -tags headless -count=1 -timeout 15m -run '^Test(Window|Story|Tray)' ./app

.PHONY: test-long
test-long: headless ## runs the tests of the transfer engine that take minutes
	@.ci/packages test
	POTLUCK_LONG=1 POTLUCK_HEADLESS=$(CURDIR)/$(HEADLESS) \
		$(GO) test -tags headless -count=1 -timeout 30m -v -run '^TestLong' ./app

.PHONY: fuzz
fuzz: ## fuzzes every decoder for LONG_FUZZTIME (2m) each
	@.ci/packages build
	@.ci/fuzz $(LONG_FUZZTIME)

# Measures the whole program, in memory; a row is a piece of work.
RACE := POTLUCK_HEADLESS=$(CURDIR)/$(HEADLESS) $(GO) test -tags headless -count=1 -timeout 60m -run '^TestRows$$' -v ./app/race
ROWS ?= all
ROUNDS ?= 5
PEERS ?= 50,200

.PHONY: bench
bench: bench-engine bench-finding bench-scale ## measures all that the README tells of Potluck alone, but for `make sim`; in a quarter of an hour, on Linux

.PHONY: bench-engine
bench-engine: headless ## runs the benchmarks, then measures copying by the whole program
	@.ci/packages build
	$(GO) test -tags headless -run '^$$' -bench . -benchmem ./...
	$(RACE) -rows 1,2,3,8 -rounds 3 -alone

.PHONY: bench-peers
bench-peers: headless ## measures it against others, as root or where users may make namespaces; ROWS=1,5 ROUNDS=5
	@.ci/packages build bench
	POTLUCK_STRICT=1 $(RACE) -rows $(ROWS) -rounds $(ROUNDS) $(ARGS)

.PHONY: bench-scale
bench-scale: build headless ## measures a share of 100,000 files, search over a million names, and ten computers at rest; in 8 minutes, on Linux
	@.ci/packages run test bench
	$(GO) test -tags headless -run '^$$' -bench SearchMillion -benchmem ./app/browse
	POTLUCK_SCALE=1 POTLUCK_STRICT=1 POTLUCK_BIN=$(CURDIR)/$(BIN) POTLUCK_HEADLESS=$(CURDIR)/$(HEADLESS) \
		$(GO) test -tags headless -count=1 -timeout 30m -v -run '^TestScale' ./app

.PHONY: bench-finding
bench-finding: headless ## measures how soon people see each other again after all kinds of trouble; in 2 minutes, on Linux, as root or where users may make namespaces
	@.ci/packages test
	POTLUCK_STRICT=1 POTLUCK_HEADLESS=$(CURDIR)/$(HEADLESS) \
		$(GO) test -tags headless -count=1 -timeout 15m -v -run '^Test(Finding|Leaving|ThreeHosts)' ./app

.PHONY: sim
sim: ## simulates offices of 50 and 200 peers in virtual time, in four minutes; PEERS=1000 takes an hour
	@.ci/packages build
	POTLUCK_SIM=$(PEERS) $(GO) test -tags headless -count=1 -timeout 90m -v -run '^TestOffice$$' ./app/sim

# The window is measured alone on made-up data, which needs a program of its
# own, and as it is.
PREVIEW := build/potluck-preview$(EXE)

.PHONY: bench-window
bench-window: build ## measures the window: lists of 100,000 rows, 50 downloads, start, rest; in 3 minutes, on Linux
	@.ci/packages run test
	$(GO) test -c -tags $(TAGS),preview -o $(PREVIEW) ./ui
	POTLUCK_STRICT=1 POTLUCK_BIN=$(CURDIR)/$(BIN) POTLUCK_PREVIEW=$(CURDIR)/$(PREVIEW) \
		$(GO) test -tags headless -count=1 -timeout 15m -run '^TestWindow$$' -v ./app/race -window $(ARGS)

# The program without a window must build for every system from any; of ui only
# what has no Fyne, which needs a C compiler on macOS.
.PHONY: lint
lint: $(GOFUMPT) $(GOLANGCI) ## looks for what tests do not find
	@.ci/packages build
	@unformatted=$$(git ls-files -z --cached --others --exclude-standard '*.go' ':!*.pb.go' | \
		xargs -0 $(GOFUMPT) -l) && \
		if [ -n "$$unformatted" ]; then echo "not formatted by gofumpt: $$unformatted" >&2; exit 1; fi
	$(GO) mod tidy -diff
	$(GOLANGCI) run
	@for os in windows darwin; do \
		echo "$(GO) vet for $$os"; \
		GOOS=$$os CGO_ENABLED=0 $(GO) vet -tags headless . ./app/... ./net/... ./storage/... ./ui/desktop || exit 1; \
	done

.PHONY: fmt
fmt: $(GOFUMPT) ## formats the code
	git ls-files -z --cached --others --exclude-standard '*.go' ':!*.pb.go' | xargs -0 $(GOFUMPT) -w

.PHONY: proto
proto: $(PROTOC_GEN_GO) ## generates the code of the protobuf messages
	@.ci/packages proto
	PATH=$(dir $(PROTOC_GEN_GO)):$$PATH $(GO) generate ./...

# For packagers and for a computer with several users; a user alone needs none
# of it, for the program enters itself into the menu of its user.
PREFIX ?= /usr/local
DESTDIR ?=
ID := io.github.potluck-share.potluck
SHARE = $(DESTDIR)$(PREFIX)/share
ENTRY = $(SHARE)/applications/$(ID).desktop
ICON = $(SHARE)/icons/hicolor/scalable/apps/$(ID).svg
# The menu and the links; a package does that itself where it is unpacked.
REFRESH = if [ -z "$(DESTDIR)" ] && command -v update-desktop-database >/dev/null; then \
	update-desktop-database -q "$(SHARE)/applications"; fi

.PHONY: install
install: $(BIN) ## installs what was built on a Linux desktop, below PREFIX (/usr/local) in DESTDIR
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(dir $(ENTRY))" "$(dir $(ICON))"
	install -m 755 "$(BIN)" "$(DESTDIR)$(PREFIX)/bin/potluck"
	sed 's|^Exec=potluck|Exec=$(PREFIX)/bin/potluck|' assets/$(ID).desktop >"$(ENTRY)"
	chmod 644 "$(ENTRY)"
	install -m 644 assets/icon.svg "$(ICON)"
	@$(REFRESH)

.PHONY: uninstall
uninstall: ## removes what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/potluck" "$(ENTRY)" "$(ICON)"
	@$(REFRESH)

# Only where it is missing: whoever installs as root need not have Go.
$(BIN):
	$(MAKE) build

# LOOKS=light,german makes less: the names stand in app/screenshots_test.go.
LOOKS ?= all

.PHONY: screenshots
screenshots: build ## makes pictures of every page, in build/screenshots, and with LOOKS=all those in README.md anew
	@.ci/packages run test
	POTLUCK_SCREENSHOTS=$(LOOKS) POTLUCK_STRICT=1 POTLUCK_BIN=$(CURDIR)/$(BIN) POTLUCK_ARTEFACTS=$(CURDIR)/build \
		$(GO) test -tags headless -count=1 -timeout 30m -run '^TestScreenshots$$' -v ./app
	@if [ "$(LOOKS)" = all ]; then \
		cp build/screenshots/light-browse-preview.png assets/screenshot.png; \
		cp build/screenshots/dark-transfers.png assets/screenshot-dark.png; \
	fi

.PHONY: clean
clean: ## removes what was built
	rm -rf build

.PHONY: help
help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

$(GOFUMPT):
	GOBIN=$(@D) $(GO) install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

$(GOLANGCI):
	GOBIN=$(@D) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(PROTOC_GEN_GO):
	GOBIN=$(@D) $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
