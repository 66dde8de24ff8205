// A tree of everything that backups have tripped over, built by a script.

import Platform

enum OddTree {
    /// Builds it in `directory`. Needs perl (part of every Debian), setfattr and setfacl; devices only as root.
    static func build(in directory: String) throws {
        try shell(script, in: directory)
        if Accounts.isRoot {
            try shell("mknod null c 1 3; mknod loop b 7 9; chown 12345:23456 plain; chmod 6755 plain", in: directory)
        }
    }

    static let script = #"""
        umask 022
        echo plain > plain; chmod 640 plain
        : > empty
        printf 'x' > one-byte
        head -c 65536 /dev/urandom > packet-exact
        head -c 65537 /dev/urandom > packet-and-one
        head -c 3000000 /dev/urandom > three-megabytes
        seq 1 100000 > compressible
        printf 'new\nline' > "$(printf 'name with\nnewline')"
        printf 'a' > "$(printf 'not-utf8-\377\376')"
        printf 'b' > ' leading and trailing '
        printf 'c' > -- -dash
        printf 'd' > 'back\slash and "quotes"'
        printf 'e' > "$(printf '%0255d' 0)"
        ln -s plain link
        ln -s /nowhere/at/all dangling
        ln -s "$(printf 'target-\377')" odd-link
        mkdir links; echo linked > links/first; ln links/first links/second; ln links/first third
        ln -s link links/symlink; ln links/symlink links/symlink-again 2>/dev/null || true
        mkfifo fifo; chmod 600 fifo
        perl -e 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("socket"));'
        truncate -s 20M sparse; printf middle | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none
        truncate -s 3M hole-only
        truncate -s 1M hole-at-end; printf head | dd of=hole-at-end conv=notrunc status=none
        setfattr -n user.one -v first plain
        setfattr -n user.binary -v 0x00ff01 plain
        setfattr -n user.on-directory -v yes links
        setfacl -m u:nobody:r,g:12345:rwx plain
        mkdir acl-directory; setfacl -m u:nobody:rx -d -m u:nobody:rwx,g::r acl-directory; echo inherits > acl-directory/child
        mkdir no-entry; echo hidden > no-entry/file; chmod 000 no-entry
        mkdir empty-directory sticky; chmod 1777 sticky
        touch -d '1969-12-31 23:59:58.5 UTC' before-1970
        touch -d '2105-01-01 00:00:00.123456789 UTC' far-future
        touch -h -d '2001-02-03 04:05:06.789012345 UTC' dangling
        touch -d '2011-11-11 11:11:11.111111111 UTC' links
        perl -e 'my $d = "deep" . ("x" x 40); for (1..150) { mkdir $d or die "$!"; chdir $d or die "$!"; } open(F, ">", "bottom") or die; print F "deep\n";'
        """#
}
