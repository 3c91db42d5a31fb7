#!/usr/bin/env bash
# Everything a change must pass. Ends with one line: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
report=$(mktemp --suffix=.json)
trap 'rm -f "$report"' EXIT

npm run -s lint
npm run -s typecheck
npm run -s diagnostics
if command -v cargo >/dev/null; then
  cargo test --quiet --manifest-path program/Cargo.toml
else
  echo "cargo is not installed: the program's host tests are skipped"
fi
npm run -s architecture
npm run -s types
npm run -s docs
npm run -s build
npx publint --strict
npx attw --pack . --profile esm-only --format table-flipped --quiet
npm run -s size
failed=0
npx vitest run --reporter=default --reporter=json --outputFile.json="$report" || failed=$?
node scripts/summary.mjs "$report"
exit "$failed"
