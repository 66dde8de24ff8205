#!/bin/bash
# Every benchmark, with its figures on standard output. BENCH_TREE (default /usr) and BENCH_ROUNDS (3) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
program=.build/release/appliance
echo "== side by side with Bacula: ${BENCH_TREE:-/usr}"
python3 Benchmarks/against_bacula.py --appliance $program --tree "${BENCH_TREE:-/usr}" --rounds "${BENCH_ROUNDS:-3}"
echo "== memory"
python3 Benchmarks/memory.py --appliance $program
echo "== packets over loopback, in clear text and under TLS"
swift build -c release --product wire-throughput >/dev/null && .build/release/wire-throughput
