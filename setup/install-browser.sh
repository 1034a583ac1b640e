#!/usr/bin/env bash
# Finds a browser that can draw the pictures, or installs one, and reports which one it is.
# usage: setup/install-browser.sh [folder of the environment's commands, default: .venv/bin]
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:-.venv/bin}
packages=(chromium libegl1 libegl-mesa0 libgl1-mesa-dri fonts-dejavu-core)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Print the path of the browser that the workflow would use; fail with the reason if there is none.
browser_path() {
  PYTHONPATH=workflow "$bin/python" - <<'PYTHON'
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from polyfacet.runtime.errors import UserError
from polyfacet.facets.image.browser import find_browser

try:
    with sync_playwright() as playwright:
        print(find_browser(Path(playwright.chromium.executable_path)))
except UserError as error:
    sys.exit(str(error))
PYTHON
}

# Print one line about the browser, if there is one and it can be started.
report_browser() {
  local path version
  path=$(browser_path 2>>"$log") || return 1
  version=$("$path" --version 2>>"$log") || return 1
  echo "Browser: ${version%% built on*} ($path)"
}

report_browser && exit 0

if [[ -n ${POLYFACET_BROWSER:-} ]]; then
  cat "$log" >&2
  echo "POLYFACET_BROWSER=$POLYFACET_BROWSER cannot be started: fix or unset it." >&2
  exit 1
fi

echo "No browser found: downloading one with Playwright ..."
if PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=15000 timeout 900 \
  "$bin/playwright" install --no-shell chromium >>"$log" 2>&1; then
  report_browser && exit 0
fi

if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
  echo "Playwright could not provide a working browser: installing Debian's Chromium ..."
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >>"$log" 2>&1 &&
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${packages[@]}" >>"$log" 2>&1; then
    report_browser && exit 0
  fi
fi

tail -n 20 "$log" >&2
cat >&2 <<EOF

No browser could be installed. The pictures need Chromium or Chrome; try one of these:
  sudo apt-get install --no-install-recommends ${packages[*]}
  $bin/playwright install --with-deps chromium
  export POLYFACET_BROWSER=/path/to/chrome
EOF
exit 1
