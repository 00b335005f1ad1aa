#!/usr/bin/env bash
# Runs the conformance modules, the attack table and the limits of the protocol
# library against the real server, then the same checks against broken copies of
# it. Prints one line for each, and a total. A check that could not be run is a
# failure.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
IDP_BROKEN_COPIES=1 go test ./cmd/idp -count=1 -timeout 15m -v -run '^(TestOIDF|TestAttack|TestEngineLimits|TestEveryBrokenCopyIsFound)$' >"$log" 2>&1
status=$?
# A line of go test, "    --- PASS: TestOIDF/basic/oidcc-server (0.03s)", for
# whatever has no subtests of its own.
awk '
  /^ *--- (PASS|FAIL|SKIP): / {
    match($0, /--- [A-Z]+: /)
    outcome = substr($0, RSTART + 4, RLENGTH - 6)
    name = substr($0, RSTART + RLENGTH)
    sub(/ \([0-9.]+s\)$/, "", name)
    order[++n] = name
    result[name] = outcome
    parent = name
    while (sub(/\/[^\/]*$/, "", parent)) has[parent] = 1
  }
  END {
    for (i = 1; i <= n; i++) {
      name = order[i]
      if (name in has && result[name] != "FAIL") continue
      if (name in has) { inner = 0; for (j = 1; j <= n; j++) if (index(order[j], name "/") == 1 && result[order[j]] == "FAIL") inner = 1; if (inner) continue }
      print result[name], name
      count[result[name]]++
    }
    printf "\n%d passed, %d failed, %d skipped\n", count["PASS"], count["FAIL"], count["SKIP"]
    if (n == 0 || count["SKIP"] > 0) exit 1
  }
' "$log"
counted=$?
if [ $status -ne 0 ] || [ $counted -ne 0 ]; then
  echo "make conformance: what failed said:" >&2
  grep -vE '^(=== |\s*--- PASS)' "$log" | tail -n 200 >&2
  exit 1
fi
