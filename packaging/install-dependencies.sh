#!/bin/bash
# Installs the Debian packages that a build or the tests need, and nothing that is there already.
#
#   packaging/install-dependencies.sh build    libraries to link against
#   packaging/install-dependencies.sh test     also real Bacula programs and the tools the tests compare with
set -euo pipefail

build=(libzstd-dev libssl-dev libsqlite3-dev zlib1g-dev pkg-config binutils)
test=(acl attr sqlite3 openssl python3 file dpkg-dev man-db
    bacula-fd bacula-sd bacula-console bacula-director bacula-director-sqlite3 bacula-bscan)

case ${1:-build} in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
*) echo "usage: $0 build|test" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "$0: needs root (or sudo) to install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"

# Two snares of Bacula's packages. They start their services on installation: a policy that answers 101 forbids it while
# this script runs. And the director's configuration step wants a file that only a database wizard writes.
if printf '%s\n' "${missing[@]}" | grep -q '^bacula-'; then
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod 755 $policy
        trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    choice=/usr/share/bacula-common/dbc_database.conf
    "${as_root[@]}" mkdir -p "${choice%/*}"
    [ -e $choice ] || printf 'dbc_install=false\ndbc_dbtype=sqlite3\n' | "${as_root[@]}" tee $choice >/dev/null
fi
log=$(mktemp)
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "$0: apt-get could not install: ${missing[*]} (whole log: $log)" >&2
    exit 1
fi
rm -f "$log"
