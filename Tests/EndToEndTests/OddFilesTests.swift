// Every kind of file there is, through the whole system and back.

import Glibc
import Platform
import TestSupport
import Testing

struct OddFilesTests {
    /// Makes one of everything. Needs root for the device nodes and the owners; the rest works for anybody.
    static func make(_ tree: String) throws {
        try shell(
            #"""
            mkdir -p '\#(tree)/dir one/deep' && cd '\#(tree)'
            echo hello >plain; : >empty; seq 1 200000 >numbers; head -c 300000 /dev/urandom >random
            truncate -s 20M sparse; printf tail >>sparse; printf head | dd of=sparse bs=1 conv=notrunc status=none
            truncate -s 5M hole-at-the-end
            ln plain hard; ln plain 'dir one/hard elsewhere'; ln -s plain symbolic; ln -s /nowhere dangling; ln -s . loop
            mkfifo fifo
            echo spaces >'name with  spaces '; echo newline >$'name\nwith newline'; echo bytes >$'not-utf8-\xff\xfe\x80'
            echo quote >"it's \"quoted\""; echo back >'back\slash'; echo star >'*'; echo dash >-rf; echo pipe >'|cat'; echo lt >'<x'
            mkdir $'dir\n\xff'; echo inside >$'dir\n\xff/file'
            python3 - <<'PY'
            import os
            name, path = "n" * 250, "."
            for _ in range(30):  # far beyond PATH_MAX in all, by relative steps
                os.mkdir(name); os.chdir(name)
            open("deepest", "w").write("deep\n")
            os.chdir("\#(tree)")
            path = "x" * 255
            open(path, "w").write("longest name\n")
            PY
            chmod 4755 random; chmod 0000 empty; mkdir sticky; chmod 1777 sticky
            touch -d '1970-01-01 00:00:00.000000001 UTC' plain; touch -d '2037-12-31 23:59:59.999999999' numbers
            touch -h -d '2011-11-11 11:11:11.111111111' symbolic
            setfattr -n user.empty -v '' numbers; setfattr -n user.note -v 0x00ff10 numbers; setfattr -n user.dir -v d 'dir one'
            setfacl -m u:nobody:r,g:users:rx,m::rwx numbers; setfacl -d -m u:nobody:rwx 'dir one'
            if [ "$(id -u)" = 0 ]; then
              mknod character c 1 3; mknod block b 7 200; chown 65534:1234 random; chown -h 1:2 symbolic
              setcap cap_net_raw+ep random 2>/dev/null || true
              setfattr -n trusted.secret -v t random
            fi
            touch -d '2020-02-02 02:02:02.020202020' 'dir one' .
            """#)
    }

    @Test(
        "Every kind of file comes back as it was",
        arguments: ["", "compression = GZIP6", "compression = ZSTD", "sparse = yes", "sparse = yes\n compression = GZIP"],
        ["MD5", "SHA256"])
    func roundTrip(option: String, signature: String) throws {
        let home = TemporaryDirectory()
        let tree = home.file("tree")
        try Self.make(tree)
        var options = Site.Options()
        options.include = """
            Options { signature = \(signature)
              aclsupport = yes
              xattrsupport = yes
              \(option) }
            File = "\(tree)"
            """
        let site = try Site(options)
        defer { site.stopAll() }
        #expect(try site.job("run job=Backup level=Full yes") == "T", "\(site.text("jobs.log"))")
        let restored = try site.restoreAll(to: "all")
        let result = try run(applianceProgram, "compare", tree, restored + tree)
        #expect(result.ending == .exited(0), "\(result.text) \(result.errorText)")
    }

    @Test("A backup in clear text, where the configuration says so, gives the same result and warns in the log")
    func plainText() throws {
        let home = TemporaryDirectory()
        try Self.make(home.file("tree"))
        var options = Site.Options()
        options.include = "Options { signature = SHA1\n aclsupport = yes\n xattrsupport = yes }\n File = \"\(home.file("tree"))\""
        options.tls = "TLS Enable = no"
        let site = try Site(options)
        defer { site.stopAll() }
        #expect(try site.job("run job=Backup level=Full yes") == "T", "\(site.text("jobs.log"))")
        let restored = try site.restoreAll(to: "all")
        let result = try run(applianceProgram, "compare", home.file("tree"), restored + home.file("tree"))
        #expect(result.ending == .exited(0), "\(result.text) \(result.errorText)")
    }
}
