// Files, pid files, background processes.

import Glibc
import Platform
import TestSupport
import Testing

struct FileTests {
    @Test("What is written is read back, at a position and in order")
    func roundTrip() throws {
        let home = TemporaryDirectory()
        let file = try OpenFile(home.file("a"), O_RDWR | O_CREAT)
        try file.write(Array("hello world".utf8).span)
        try file.write(Array("W".utf8).span, at: 6)
        #expect(try file.size() == 11)
        try file.seek(to: 0)
        #expect(try file.readAll(limit: 100) == Array("hello World".utf8))
        try file.truncate(to: 5)
        try file.seek(to: 0)
        #expect(try file.readAll(limit: 3) == Array("hel".utf8))
        try file.close()
    }

    @Test("A failed call says which call failed on which file, and why")
    func errors() {
        let error = #expect(throws: SystemError.self) { try OpenFile("/nonexistent/file", O_RDONLY).sync() }
        #expect(error?.description.contains("open of /nonexistent/file failed: No such file or directory") == true)
    }

    @Test("A full device is an error that says so")
    func full() throws {
        let file = try OpenFile("/dev/full", O_WRONLY)
        let error = #expect(throws: SystemError.self) { try file.write([1, 2, 3].span) }
        #expect(error?.errno == ENOSPC)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("A private file is never written over an existing one, and only its owner may read it")
    func createsPrivately() throws {
        let home = TemporaryDirectory()
        try FilePath.createPrivate(home.file("secret"), "x")
        var status = stat()
        #expect(unsafe stat(home.file("secret"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(throws: SystemError.self) { try FilePath.createPrivate(home.file("secret"), "y") }
    }

    @Test("A pid file can be held once, and is free again when its holder is gone")
    func pidFile() throws {
        let home = TemporaryDirectory()
        do {
            let first = try PIDFile(home.file("pid"))
            let error = #expect(throws: SystemError.self) { _ = try PIDFile(home.file("pid")) }
            #expect(error?.call == "flock")
            withExtendedLifetime(first) {}
        }
        _ = try PIDFile(home.file("pid"))
    }

    @Test("A background process is ended by its signal, and its status says so")
    func backgroundProcess() throws {
        let home = TemporaryDirectory()
        let process = try BackgroundProcess(["/bin/sh", "-c", "echo here; exec sleep 600"], logPath: home.file("log"))
        for _ in 0..<200 where FilePath.tail(home.file("log"), bytesMax: 10).isEmpty { usleep(10_000) }
        #expect(FilePath.tail(home.file("log"), bytesMax: 10) == "here\n")
        #expect(!process.hasEnded)
        #expect((process.residentMemory ?? 0) > 0)
        #expect(process.end() == 128 + SIGTERM)
        #expect(process.hasEnded)
    }
}

struct WallTimeTests {
    @Test("Local texts are read back as the time that wrote them")
    func roundTrip() throws {
        for seconds in [Int64(0), 1_000_000_000, 1_795_219_239, 4_102_444_799] {
            let time = WallTime(seconds: seconds)
            #expect(WallTime(localText: time.localText)?.seconds == seconds)
        }
    }

    @Test(
        "Texts that are no times are refused", arguments: ["", "yesterday", "2026-13-01", "2026-01-40", "2026-01-01 25:00", "1 2"])
    func refused(text: String) { #expect(WallTime(localText: text) == nil) }

    @Test("Seconds before 1970 round down") func negative() { #expect(WallTime(nanoseconds: -1).seconds == -1) }
}

struct DigestTests {
    @Test("Digests and MACs equal the published ones")
    func vectors() {
        let abc = Array("abc".utf8)
        #expect(Digest.hexadecimal(Digest.hash(abc, .md5)) == "900150983cd24fb0d6963f7d28e17f72")
        #expect(Digest.hexadecimal(Digest.hash(abc, .sha1)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            Digest.hexadecimal(Digest.hash(abc, .sha256)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        // RFC 2202, test case 2; RFC 4231, test case 6 (a key longer than a block).
        #expect(
            Digest.hexadecimal(Digest.hmac(.md5, key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8)))
                == "750c783e6ab0b503eaa86e310a5db738")
        #expect(
            Digest.hexadecimal(
                Digest.hmac(
                    .sha256, key: [UInt8](repeating: 0xAA, count: 131),
                    message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("A digest in pieces equals the digest of the whole, and the context serves again")
    func pieces() {
        var digest = Digest(.sha1)
        for _ in 0..<2 {
            digest.update(Array("a".utf8).span)
            digest.update(Array("bc".utf8).span)
            #expect(Digest.hexadecimal(digest.finish()) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        }
    }
}
