#!/usr/bin/env bash
# One step of the set-up: install.sh python|kafka|anvil|metaplex. The Makefile decides when one is due.
set -euo pipefail
cd "$(dirname "$0")/.."

uv() {
  if type -P uv >/dev/null; then
    command uv "$@"
    return
  fi
  if [ ! -x .tools/uv/bin/uv ]; then
    python3 -m venv .tools/uv
    .tools/uv/bin/pip install --quiet --disable-pip-version-check uv
  fi
  .tools/uv/bin/uv "$@"
}

install_python() {
  echo "Setting up Python in .venv"
  [ -x .venv/bin/python ] || uv venv --quiet --python "$(command -v python3)" .venv
  # Compiled now, because each of our processes would do it again where nothing may be written.
  VIRTUAL_ENV=.venv uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
  # The checkout itself is the package: its modules are found through a path file, without a build.
  local site
  site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  pwd > "$site/mega.pth"
  printf '#!%s\nfrom cli.__main__ import app\n\napp()\n' "$PWD/.venv/bin/python" > .venv/bin/mega
  chmod +x .venv/bin/mega
}

install_kafka() {
  echo "Fetching Kafka into .tools/kafka"
  rm -rf .tools/kafka
  mvn --batch-mode --quiet -Dstyle.color=never --file embedded/pom.xml dependency:copy-dependencies \
    -DoutputDirectory="$PWD/.tools/kafka/lib"
  .venv/bin/python -m embedded.warm_up
}

install_anvil() {
  echo "Fetching anvil into .tools/anvil"
  rm -rf .tools/anvil
  mkdir -p .tools/anvil
  cp embedded/anvil/package.json embedded/anvil/package-lock.json .tools/anvil/
  # The lock names the binary for Intel; ARM's is fetched by its version.
  if [ "$(uname -m)" = aarch64 ]; then
    npm install --prefix .tools/anvil --no-save --silent @foundry-rs/anvil-linux-arm64@1.7.1
  else
    npm ci --prefix .tools/anvil --ignore-scripts --no-audit --no-fund --silent
  fi
}

install_metaplex() {
  echo "Fetching Metaplex's client, which tests use, into .tools/metaplex"
  rm -rf .tools/metaplex
  mkdir -p .tools/metaplex
  cp tests/js/package.json tests/js/package-lock.json .tools/metaplex/
  npm ci --prefix .tools/metaplex --ignore-scripts --no-audit --no-fund --silent
}

"install_$1"
