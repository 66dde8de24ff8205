#!/bin/bash
# Copies a release into a tree: packaging/install.sh BINARY DESTDIR PREFIX
#
# PREFIX/bin/appliance, PREFIX/share/{man,doc,bash-completion}, /etc/appliance samples (never over existing files), and one
# systemd unit per role with its ExecStart pointing to PREFIX.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:?usage: install.sh BINARY DESTDIR PREFIX} destination=${2-} prefix=${3:?}

install -D -m 755 "$binary" "$destination$prefix/bin/appliance"
install -d -m 755 "$destination$prefix/share/man/man8" "$destination$prefix/share/man/man5"
for page in packaging/man/*.[58]; do
    section=${page##*.}
    gzip -9nc "$page" >"$destination$prefix/share/man/man$section/$(basename "$page").gz"
done
install -D -m 644 README.md "$destination$prefix/share/doc/appliance/README.md"
install -m 644 LICENSE "$destination$prefix/share/doc/appliance/copyright"
gzip -9nc CHANGELOG.md >"$destination$prefix/share/doc/appliance/changelog.gz"
for page in docs/*.md; do install -m 644 "$page" "$destination$prefix/share/doc/appliance/"; done

install -d -m 755 "$destination/etc/appliance"
for sample in etc/appliance/*.conf; do
    install -m 640 "$sample" "$destination/etc/appliance/$(basename "$sample").sample"
done
units=/lib/systemd/system
[ "$prefix" = /usr ] || units=$prefix/lib/systemd/system
install -d -m 755 "$destination$units"
for unit in packaging/systemd/*.service; do
    sed "s#/usr/bin/appliance#$prefix/bin/appliance#" "$unit" >"$destination$units/$(basename "$unit")"
    chmod 644 "$destination$units/$(basename "$unit")"
done
echo "installed appliance under $destination$prefix"
