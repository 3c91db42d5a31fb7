#!/usr/bin/env bash
# Builds pod_com.so and writes pod_com.sha256.json beside it.
#
# Tools, each of which the environment may name:
#   RUSTC, CARGO         a compiler with its standard library's sources (Debian: rustc-web, cargo-web, rust-web-src)
#   SBPF_LINKER          sbpf-linker 0.2.6
set -euo pipefail
cd "$(dirname "$0")"

missing=()

# The file of a Debian package that lies at bin/<name>.
debian_tool() { # package name
  { dpkg -L "$1" 2>/dev/null || true; } | grep -E "^/usr/bin/$2\$" | head -n 1
}

RUSTC=${RUSTC:-$(debian_tool rustc-web rustc)}
CARGO=${CARGO:-$(debian_tool cargo-web cargo)}
SBPF_LINKER=${SBPF_LINKER:-$(command -v sbpf-linker || ls "${CARGO_HOME:-$HOME/.cargo}/bin/sbpf-linker" 2>/dev/null || true)}

[ -x "$RUSTC" ] || missing+=("rustc 1.96: apt-get install rustc-web, or set RUSTC")
[ -x "$CARGO" ] || missing+=("cargo: apt-get install cargo-web, or set CARGO")
[ -x "$SBPF_LINKER" ] || missing+=("sbpf-linker 0.2.6: see README.md, or set SBPF_LINKER")
if [ -x "$RUSTC" ]; then
  library=$("$RUSTC" --print sysroot)/lib/rustlib/src/rust/library
  [ -d "$library" ] || missing+=("the standard library's sources in $library: apt-get install rust-web-src")
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf 'The program cannot be built here. Missing:\n' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi

# Panic messages hold source paths: name none of this machine.
remaps="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$library=library"

RUSTC="$RUSTC" RUSTC_BOOTSTRAP=1 \
  RUSTFLAGS="-C linker=$SBPF_LINKER -C panic=abort -C relocation-model=static -C link-arg=--arch=v0 -C link-arg=--disable-math-builtins -C link-arg=--cpu-features=+allows-misaligned-mem-access -C link-arg=--llvm-args=--bpf-stack-size=4096 $remaps" \
  "$CARGO" build --locked --release -Zbuild-std=core --target bpfel-unknown-none

cp target/bpfel-unknown-none/release/libpod_com.so pod_com.so

# The sources: what the compiler reads, in the order of their names.
{
  printf '{\n  "pod_com.so": "%s",\n  "sources": {\n' "$(sha256sum pod_com.so | cut -d' ' -f1)"
  { printf '%s\n' Cargo.lock Cargo.toml build.sh; find src -name '*.rs'; } | LC_ALL=C sort | while read -r file; do
    printf '%s    "%s": "%s"' "${separator:-}" "$file" "$(sha256sum "$file" | cut -d' ' -f1)"
    separator=$',\n'
  done
  printf '\n  }\n}\n'
} > pod_com.sha256.json

printf 'Built program/pod_com.so, %s bytes.\n' "$(stat -c %s pod_com.so)"
