#!/bin/bash
# Builds dist/appliance_VERSION_ARCH.deb with Debian's own tools: packaging/build-deb.sh BINARY OUTDIR
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:?usage: build-deb.sh BINARY OUTDIR} out=${2:?}
version=$("$binary" --version | awk '{print $NF}')
architecture=$(dpkg --print-architecture)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
packaging/install.sh "$binary" "$root" /usr >/dev/null
mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"; done

# What the binary really links against, in the terms of the distribution it was built on.
mkdir -p "$root/debian"
printf 'Source: appliance\n\nPackage: appliance\nArchitecture: any\n' >"$root/debian/control"
depends=$(cd "$root" && dpkg-shlibdeps -O usr/bin/appliance 2>/dev/null | sed 's/^shlibs:Depends=//')
rm -r "$root/debian"
[ -n "$depends" ] || { echo "build-deb: dpkg-shlibdeps found no libraries" >&2; exit 1; }

cat >"$root/DEBIAN/control" <<CONTROL
Package: appliance
Version: $version
Architecture: $architecture
Maintainer: The Appliance authors <appliance@localhost>
Section: admin
Priority: optional
Depends: $depends, adduser
Suggests: bacula-console
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: backup system in one program
 Director, file daemon, storage daemon and console in one executable. It reads
 Bacula's configuration language, speaks its wire protocol and writes its
 volume format, encrypts every connection without certificates, and gives every
 byte and every attribute back.
CONTROL
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/appliance_${version}_$architecture.deb"
