#!/usr/bin/env bash
# Runs every fuzz target for the given time, one after the other.
set -euo pipefail
time=${1:-30s}
targets=$(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . |
  sed -E 's/^(.*)\/[^/]+:[0-9]+:func /\1 /' | sort)
[ -n "$targets" ] || { echo "make fuzz: no fuzz targets found" >&2; exit 1; }
while read -r folder target; do
  echo "fuzz $target in $folder for $time"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel "${FUZZ_PARALLEL:-$(nproc)}" "$folder" </dev/null
done <<<"$targets"
