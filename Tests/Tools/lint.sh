#!/bin/bash
# House rules that a compiler can't see. Prints every breach and fails if there is one.
set -uo pipefail
cd "$(dirname "$0")/../.."
status=0
breach() { echo "lint: $1"; status=1; }

# Only Platform speaks to the C library, so that the rest reads as what it does and not as how Linux does it.
while IFS= read -r file; do breach "$file imports Glibc: wrap the call in Platform"; done \
    < <(grep -rlE '^(package |public )?import (Glibc|CSystem)$' Sources Plugins --include='*.swift' | grep -v '^Sources/Platform/')

# A promise without a proof.
while IFS= read -r line; do breach "$line: @unchecked Sendable without a sentence that proves it above it"; done \
    < <(grep -rnB6 '@unchecked Sendable' Sources Plugins --include='*.swift' |
        awk '/@unchecked Sendable/ { if (!seen) print $0; seen=0; next } /--/ { seen=0; next } /\/\// { seen=1 }' )

# Names that say nothing.
while IFS= read -r file; do breach "$file: a name that says nothing"; done \
    < <(find Sources Plugins -iname '*util*' -o -iname '*helper*' -o -iname '*manager*' -o -iname '*common*')

# Unfinished thoughts.
while IFS= read -r line; do breach "$line"; done \
    < <(grep -rnE 'TODO|FIXME|XXX:|not built yet"\) *\}' Sources Plugins --include='*.swift' | grep -E 'TODO|FIXME|XXX:')
exit $status
