#!/bin/bash
# Proves the package: installs it into a clean Debian made by debootstrap, starts a storage daemon there, ends it, removes it.
#
#   packaging/check-deb.sh dist/appliance_0.1.0_amd64.deb        (root; about a minute)
set -euo pipefail
package=$(readlink -f "${1:?usage: check-deb.sh PACKAGE.deb}")
[ "$(id -u)" = 0 ] || { echo "check-deb: needs root" >&2; exit 77; }
command -v debootstrap >/dev/null || apt-get -q -o DPkg::Lock::Timeout=600 install -y debootstrap >/dev/null

root=$(mktemp -d /var/tmp/appliance-root-XXXXXX)
pid=
finish() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT

# The mirror that this machine uses, so that the clean root comes from the same place.
mirror=$( (apt-get indextargets --format '$(REPO_URI)' 2>/dev/null || true) | grep -m1 -E 'debian/?$')
echo "check-deb: making a clean root"
[ -n "$mirror" ] || { echo "check-deb: apt names no Debian mirror; run apt-get update first" >&2; exit 1; }
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
cp "$package" "$root/tmp/appliance.deb"
# dpkg -i first, as an administrator types it; then apt brings the libraries it asked for.
chroot "$root" dpkg -i /tmp/appliance.deb >/dev/null 2>&1 || true
chroot "$root" apt-get -q update >/dev/null
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -f install >/dev/null
chroot "$root" dpkg -s appliance | grep -q '^Status: install ok installed'
chroot "$root" appliance --version
chroot "$root" /bin/sh -c 'ls /lib/systemd/system/appliance-sd.service /etc/appliance/sd.conf.sample /usr/share/man/man8/appliance.8.gz' >/dev/null

cat >"$root/etc/appliance/sd.conf" <<'CONF'
Storage { Name = clean-sd; SDPort = 29103; SDAddress = 127.0.0.1; WorkingDirectory = /var/lib/appliance; PidDirectory = /run }
Director { Name = clean-dir; Password = "only for this check" }
Device { Name = Disk; Media Type = File; Archive Device = /var/lib/appliance; LabelMedia = yes; Random Access = yes }
Messages { Name = Standard; director = clean-dir = all }
CONF
chroot "$root" appliance check-config --role sd /etc/appliance/sd.conf
chroot "$root" appliance --role sd --config /etc/appliance/sd.conf
pid=$(cat "$root"/run/appliance-sd.clean-sd.pid)
grep -q ':71AF 00000000:0000 0A' /proc/net/tcp || { echo "check-deb: the storage daemon doesn't listen" >&2; exit 1; }
kill -TERM "$pid"
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
kill -0 "$pid" 2>/dev/null && { echo "check-deb: the storage daemon didn't end" >&2; exit 1; }
pid=
chroot "$root" dpkg -r appliance >/dev/null
[ ! -e "$root/usr/bin/appliance" ] && [ -d "$root/var/lib/appliance" ]
echo "check-deb: installed in a clean root, served, ended, and was removed"
