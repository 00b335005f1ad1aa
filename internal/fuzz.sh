#!/usr/bin/env bash
# Runs every fuzz target for the given time.
set -euo pipefail
time=${1:-30s}
go list -f '{{.Dir}}' ./... | while read -r dir; do
  { grep -hoE '^func Fuzz[A-Za-z]+' "$dir"/*_test.go 2>/dev/null || true; } | sed 's/^func //' | while read -r target; do
    echo "fuzz $target in ${dir#"$PWD"/}"
    (cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" . </dev/null)
  done
done
