# The commands of this project; make help lists them.
GOLANGCI := v2.15.0
LINTER := bin/golangci-lint-$(GOLANGCI)
FUZZTIME ?= 30s
# What idp --version prints; without git, the binary reads it from its build information.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
# The race detector needs cgo; the binary that is shipped does not.
export CGO_ENABLED ?= 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: deps
deps: ## Install what the tests need from Debian's packages, where it is missing
	@./internal/deps.sh

.PHONY: build
build: ## Build bin/idp, one static binary
	CGO_ENABLED=0 go build -ldflags "-X main.linkedVersion=$(VERSION)" -o bin/idp ./cmd/idp

.PHONY: run
run: ## Run the development mode
	go run ./cmd/idp dev

.PHONY: test
test: deps ## Vet, then run every test with the race detector; broken copies are built by make conformance
	go vet ./...
	go test -race -timeout 9m ./...

.PHONY: conformance
conformance: ## Run every conformance module and attack; one line each, and a total
	@./internal/conformance.sh

.PHONY: lint
lint: $(LINTER) ## Run golangci-lint; the first time builds it
	$(LINTER) run --allow-parallel-runners --timeout 9m ./...

# Built once from the Go module proxy.
$(LINTER):
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv bin/golangci-lint $(LINTER)

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME each (30s)
	@./internal/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## Measure the CPU time of a sign-in beside one bare RSA-2048 signature
	go test -run '^$$' -bench . -benchtime 3s ./cmd/idp

.PHONY: golden
golden: ## Rewrite the golden files; review their diff like a change of the API
	go test $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -n 1 dirname | sort -u) -update

.PHONY: cover
cover: deps ## Report what the tests cover
	go test -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -n 1

.PHONY: interop
interop: ## Let foreign clients sign in (needs Node.js 20 or newer and npm)
	@./interop/run.sh
