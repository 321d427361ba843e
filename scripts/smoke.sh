#!/usr/bin/env bash
# Installs the packed package into an empty folder, and uses it with the Node on the PATH.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
home="$(mktemp -d)"
trap 'rm -rf "$home"' EXIT
cd "$home"
npm pack "$root" --silent --pack-destination "$home" >/dev/null
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund ./cake-edge-*.tgz
mkdir shared
cp "$root"/tests/packaging/consumers/shared/{print,server}.js shared/
cp "$root"/tests/packaging/consumers/node/require.cjs .
node shared/print.js
node require.cjs
npx --no-install cake-edge --version
