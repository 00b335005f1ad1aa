#!/usr/bin/env bash
# Signs in with the clients of others that take longer than those of run.sh. It downloads them
# once, from Debian, npm, PyPI, Maven Central and the Go module proxy.
set -euo pipefail
cd "$(dirname "$0")"
../internal/deps.sh

missing=()
for tool in node npm java mvn python3; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing+=(libapache2-mod-auth-openidc)
[ -e /etc/mime.types ] || missing+=(mime-support)
packages=()
for name in "${missing[@]}"; do
  case $name in
    node) packages+=(nodejs) ;;
    java) packages+=(openjdk-17-jre-headless) ;;
    mvn) packages+=(maven openjdk-17-jdk-headless) ;;
    *) packages+=("$name") ;;
  esac
done
if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || {
    echo "make interop-all: install these Debian packages or their equivalents: ${packages[*]}" >&2
    exit 1
  }
  echo "make interop-all: installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null
fi
(cd browser && npm ci --no-audit --no-fund --loglevel=error)
cd ..
IDP_INTEROP=1 go test ./interop -count=1 -v -timeout 30m
