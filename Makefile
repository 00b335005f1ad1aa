# The commands of this project. Run make help to list them.
GOLANGCI := v2.15.0
LINTER := bin/golangci-lint-$(GOLANGCI)
FUZZTIME ?= 30s
# The output of idp --version. Without git, it comes from the build information.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
# The race detector needs cgo. The released binary does not use it.
export CGO_ENABLED ?= 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: deps
deps: ## Install the Debian packages that the tests need, if they are missing
	@./internal/deps.sh

.PHONY: build
build: ## Build bin/idp, a static binary
	CGO_ENABLED=0 go build -ldflags "-X main.linkedVersion=$(VERSION)" -o bin/idp ./cmd/idp

.PHONY: run
run: ## Run idp dev
	go run ./cmd/idp dev

.PHONY: test
test: deps ## Run go vet and all tests with the race detector
	go vet ./...
	go test -race -timeout 9m ./...

.PHONY: conformance
conformance: ## Run all conformance modules and attacks, also against broken copies of the server
	@./internal/conformance.sh

.PHONY: lint
lint: $(LINTER) ## Run golangci-lint; the first run builds it
	$(LINTER) run --allow-parallel-runners --timeout 9m ./...

# Built once from the Go module proxy.
$(LINTER):
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv bin/golangci-lint $(LINTER)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 30s)
	@./internal/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## Compare the CPU time of a sign-in with an RSA-2048 signature
	go test -run '^$$' -bench . -benchtime 3s ./server

.PHONY: golden
golden: ## Rewrite the golden files; review the diff like an API change
	go test $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -n 1 dirname | sort -u) -update

.PHONY: cover
cover: deps ## Report the test coverage
	go test -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -n 1

.PHONY: interop
interop: ## Sign in with third-party clients (needs Node.js 20 or newer and npm)
	@./interop/run.sh

.PHONY: interop-all
interop-all: interop ## Also sign in with Keycloak, Spring, MSAL.js and others, which are downloaded
	@./interop/all.sh
