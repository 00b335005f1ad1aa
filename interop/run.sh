#!/usr/bin/env bash
# Starts idp dev in a temporary folder, signs in with third-party clients, and stops it.
set -euo pipefail
cd "$(dirname "$0")"

for tool in node npm; do
  command -v "$tool" >/dev/null || {
    echo "make interop: $tool is not installed; install Node.js 20 or newer, with npm" >&2
    exit 1
  }
done
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || {
  echo "make interop: Node.js 20 or newer is required; found $(node --version)" >&2
  exit 1
}

work=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill -TERM "$server"
    wait "$server" || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

(cd .. && CGO_ENABLED=0 go build -o "$work/idp" ./cmd/idp)
npm ci --no-audit --no-fund --loglevel=error

"$work/idp" dev --simulator off --listen 127.0.0.1:0 --operations 127.0.0.1:0 --data "$work/data" \
  >"$work/out" 2>"$work/err" &
server=$!
issuer=
for _ in $(seq 100); do
  issuer=$(sed -n 's/^idp dev is ready at //p' "$work/out")
  [ -n "$issuer" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$issuer" ]; then
  echo "make interop: idp dev did not start:" >&2
  cat "$work/err" >&2
  exit 1
fi

ISSUER=$issuer IDP=$work/idp timeout 120 node --test --test-reporter=spec test.mjs tokens.mjs simulated.mjs || {
  echo "make interop: last lines of the log of idp dev:" >&2
  tail -n 40 "$work/err" >&2
  exit 1
}
