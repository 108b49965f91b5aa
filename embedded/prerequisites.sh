#!/usr/bin/env bash
# Sees to Python 3.11+, Java 17+, Maven and Node 20+: installs what is missing with apt-get where that
# is possible, else names it in one sentence. Fast when nothing is missing.
set -euo pipefail

has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; }
has_java() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
  local version
  version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') && [ "${version:-0}" -ge 17 ]
}
has_maven() { command -v mvn >/dev/null; }
has_node() { command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]; }
has_setpriv() { command -v setpriv >/dev/null; }

missing() {
  has_python || echo "Python 3.11 or 3.12 with venv|python3 python3-venv"
  has_java || echo "Java 17|openjdk-17-jre-headless"
  has_maven || echo "Maven|maven"
  has_node || echo "Node 18 with npm|nodejs npm"
  has_setpriv || echo "setpriv|util-linux"
}

names() { missing | cut -d'|' -f1 | paste -sd, | sed 's/,/, /g'; }

[ -n "$(missing)" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
  echo "Installing with apt-get: $(names)"
  $as_root apt-get update -qq
  # shellcheck disable=SC2046
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
    $(missing | cut -d'|' -f2) >/dev/null
fi

if [ -n "$(missing)" ]; then
  echo "MEGA needs what this machine does not have: $(names)." >&2
  exit 1
fi
