#!/usr/bin/env bash
# Everything a change must pass. The sources and the built package are checked beside the tests. Prints how long each step took;
# the last line is: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# step NAME COMMAND…: runs the command, its output kept together, and notes its duration. A failure ends the lane.
step() {
  local name=$1 start=$SECONDS code=0
  shift
  "$@" >"$work/$name.log" 2>&1 || code=$?
  cat "$work/$name.log"
  printf '%5d s  %s%s\n' $((SECONDS - start)) "$name" "$([ $code = 0 ] || echo ': FAILED')" >>"$work/steps"
  return $code
}

# The tarball that publint and the tests of the package use, and one without source maps for attw, whose time grows with files.
pack() {
  npm pack --silent --ignore-scripts --pack-destination "$work" && mv "$work"/*.tgz "$work/package.tar.gz" &&
    tar -xzf "$work/package.tar.gz" -C "$work" && find "$work/package" -name '*.map' -delete &&
    tar -czf "$work/types.tgz" -C "$work" package
}

program() {
  if command -v cargo >/dev/null; then
    cargo test --quiet --manifest-path program/Cargo.toml
  else
    echo "cargo is not installed: the program's host tests are skipped"
  fi
}

checks() {
  step lint npm run -s lint && step types npm run -s typecheck && step docs npm run -s docs &&
    step architecture npm run -s architecture && step publint npx publint --strict "$work/package.tar.gz" &&
    step attw npx attw "$work/types.tgz" --profile esm-only --format table-flipped --quiet && step size npm run -s size &&
    step type-tests npm run -s types && step program program
}

failed=0
if step build npm run -s build && step pack pack; then
  checks &
  lane=$!
  start=$SECONDS
  PACKED="$work/package.tar.gz" npx vitest run --reporter=default --reporter=json --outputFile.json="$work/report.json" || failed=1
  printf '%5d s  tests%s\n' $((SECONDS - start)) "$([ "$failed" = 0 ] || echo ': FAILED')" >>"$work/steps"
  wait "$lane" || failed=1
else
  failed=1
fi
cat "$work/steps"
if [ -f "$work/report.json" ]; then node scripts/summary.mjs "$work/report.json" || failed=1; fi
exit "$failed"
