import DiskRepository
import Glibc
import Modules
import Platform
import Testing
import TestSupport
import VolumeTools
import Volumes

/// Debian's bls and bextract (package bacula-sd) on volumes of ours. They need a small configuration for the device.
struct BaculaTools {
    static let areInstalled = installed("/usr/sbin/bls") && installed("/usr/sbin/bextract")
    private static func installed(_ path: String) -> Bool { (try? OpenFile.regular(path, .read)) != nil }

    let directory = TemporaryDirectory()
    let device: FileDevice

    init() throws {
        device = FileDevice(name: "Disk", directory: directory.path)
        try DurableText.replace(
            directory.file("tools.conf"),
            with: """
                Storage { Name = test-sd; WorkingDirectory = \(directory.path); Pid Directory = \(directory.path) }
                Device {
                  Name = Disk; Media Type = File; Device Type = File; Archive Device = \(directory.path)
                  Random Access = yes; AutomaticMount = yes; RemovableMedia = no; AlwaysOpen = no
                  Maximum Block Size = 300000
                }
                Messages { Name = Standard; console = all }

                """)
    }

    func run(_ program: String, _ arguments: [String]) throws -> String {
        var options = ChildProcess.Options()
        options.mergesErrors = true
        options.timeLimit = .seconds(60)
        options.outputBytesMax = 8 << 20
        let run = try ChildProcess.run(["/usr/sbin/\(program)", "-c", directory.file("tools.conf")] + arguments, options)
        let text = String(decoding: run.output, as: UTF8.self)
        #expect(run.succeeded, "\(program): \(run.endingText)\n\(text)")
        return text
    }

    /// The restored file's bytes, or nil where there is none.
    func restored(_ name: String) throws -> [UInt8]? {
        guard let file = try? OpenFile.regular(directory.path + "/out" + name, .read) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try file.fill(&bytes, 0..<bytes.count, at: 0)
        return bytes
    }
}

@Suite(
    "Bacula's own tools read our volumes",
    .enabled(if: BaculaTools.areInstalled, "needs bls and bextract (Debian package bacula-sd)"))
struct BaculaToolsTests {
    typealias Job = VolumeSet.Job

    /// Block sizes: tiny ones with many splits, an odd one, the default, and one above it.
    @Test(
        "Two jobs side by side on several volumes are listed and extracted byte by byte", arguments: [400, 1500, 64_512, 262_145])
    func spanning(blockBytesMax: Int) throws {
        let tools = try BaculaTools()
        let set = VolumeSet(tools.device, volumeBytesMax: 900_000)
        let jobs = [1, 2].map { Job(id: $0, files: VolumeSet.files(45, seed: UInt64($0)), blockBytesMax: blockBytesMax) }
        try set.write(jobs)
        try tools.device.close()
        #expect(set.volumes.count >= 2)

        let listing = try tools.run("bls", ["-j", "-v", "-V", set.volumes.joined(separator: "|"), "Disk"])
        for job in jobs {
            #expect(listing.contains(job.label().job))
            #expect(listing.contains("client\(job.id)-fd"))
        }
        for word in ["rror", "amage", "ad block", "not match"] {
            #expect(!listing.replacing("JobErrors", with: "").replacing("Errors=0", with: "").contains(word), "\(word): \(listing)")
        }
        let files = try tools.run("bls", ["-V", set.volumes.joined(separator: "|"), "Disk"])
        for file in jobs.flatMap(\.files) { #expect(files.contains(file.name)) }

        unsafe mkdir(tools.directory.file("out"), 0o755)
        for job in jobs {
            try DurableText.replace(tools.directory.file("job.bsr"), with: job.bootstrap().text)
            let said = try tools.run("bextract", ["-b", tools.directory.file("job.bsr"), "Disk", tools.directory.file("out")])
            #expect(said.contains("\(job.files.count) files restored"), "\(said)")
            for file in job.files { #expect(try tools.restored(file.name) == file.bytes, "\(file.name)") }
        }
    }

    @Test("The blocks of a volume pass bls's own checks")
    func blocks() throws {
        let tools = try BaculaTools()
        let set = VolumeSet(tools.device)
        let job = Job(id: 1, files: VolumeSet.files(20, seed: 7), blockBytesMax: 5000)
        try set.write([job])
        try tools.device.close()
        let listing = try tools.run("bls", ["-k", "-V", "Test-0001", "Disk"])
        #expect(listing.contains("Block: 1 size=5000"), "\(listing)")
        #expect(!listing.contains("rror"), "\(listing)")
    }
}
