#!/usr/bin/env bash
# Runs the conformance modules, the attacks and the limits of the protocol library against
# the server, and then against broken copies of it. Prints one line for each check, and
# the totals. A skipped check is a failure.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tests='^(TestOIDF|TestAttack|TestEngineLimits|TestEveryBrokenCopyIsFound)$'
# The rows of TestAttack are in several packages, next to what they test.
packages=$(grep -rlE '^func (TestOIDF|TestAttack|TestEngineLimits)\(' --include='*_test.go' . | xargs -n 1 dirname | sort -u)
# shellcheck disable=SC2086 # one word for each package
IDP_BROKEN_COPIES=1 go test $packages -count=1 -timeout 30m -v -run "$tests" >"$log" 2>&1
status=$?
# Reads lines such as "    --- PASS: TestOIDF/basic/oidcc-server (0.03s)". It counts tests
# without subtests, and tests that failed although none of their subtests did.
awk '
  function has_failed_subtest(name,   i) {
    for (i = 1; i <= n; i++) {
      if (index(order[i], name "/") == 1 && result[order[i]] == "FAIL") return 1
    }
    return 0
  }
  /^ *--- (PASS|FAIL|SKIP): / {
    match($0, /--- [A-Z]+: /)
    outcome = substr($0, RSTART + 4, RLENGTH - 6)
    name = substr($0, RSTART + RLENGTH)
    sub(/ \([0-9.]+s\)$/, "", name)
    order[++n] = name
    result[name] = outcome
    parent = name
    while (sub(/\/[^\/]*$/, "", parent)) has_subtests[parent] = 1
  }
  END {
    for (i = 1; i <= n; i++) {
      name = order[i]
      if (name in has_subtests && (result[name] != "FAIL" || has_failed_subtest(name))) continue
      print result[name], name
      count[result[name]]++
    }
    printf "\n%d passed, %d failed, %d skipped\n", count["PASS"], count["FAIL"], count["SKIP"]
    if (n == 0 || count["SKIP"] > 0) exit 1
  }
' "$log"
counted=$?
if [ $status -ne 0 ] || [ $counted -ne 0 ]; then
  echo "make conformance: output of the failed checks:" >&2
  grep -vE '^(=== |\s*--- PASS)' "$log" | tail -n 200 >&2
  exit 1
fi
