// Telling a client what to read (bacula-wire 3.4), with the lists that the director itself has to make.

import Configuration
import Platform
import Wire

extension FileSetDefinition {
    /// Sends the FileSet. `|` programs run and `<` files are read here, at this moment.
    func send(to link: ClientLink, storage: Resource?) throws(DirectorError) {
        let packets = try wireLines(allowCompression: storage?.bool("AllowCompression") ?? true) { source throws(DirectorError) in
            try Self.names(of: source)
        }
        try link.send(command)
        do throws(WireError) {
            for packet in packets { try link.channel.send(packet) }
        } catch { throw link.failure(error) }
        try link.send(.endOfData)
        try link.answer(to: command, expecting: "2000 OK include")
    }

    /// The lines of a list. At most 16 MiB of them: some hundred thousand names.
    private static func names(of source: Source) throws(DirectorError) -> [String] {
        func lines(_ bytes: [UInt8]) -> [String] { String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init) }
        switch source {
        case .name(let name): return [name]
        case .listFile(let path):
            do throws(SystemError) { return lines(try OpenFile.contents(of: path, bytesMax: 16 << 20)) } catch {
                throw DirectorError(.system, "The FileSet's list \(path) can't be read: \(error.what)", remedy: error.remedy)
            }
        case .program(let command):
            var options = ChildProcess.Options()
            options.outputBytesMax = 16 << 20
            options.timeLimit = .seconds(600)
            do throws(SystemError) {
                let ended = try ChildProcess.run(CommandLineWords.split(command), options)
                guard ended.succeeded else { throw SystemError("run", "\(command) (\(ended.endingText))", errno: 0) }
                return lines(ended.output)
            } catch { throw DirectorError(.script, "The FileSet's program \"\(command)\" failed: \(error.what)") }
        }
    }

    /// Whether some Options block compares digests in accurate mode: only then the list carries them.
    var comparesDigests: Bool {
        includes.contains { include in
            include.options.contains { options in
                let letters = options.last("Accurate")?.asText ?? ""
                return letters.contains("5") || letters.contains("1")
            }
        }
    }
}

/// What `ssl=` says of a Storage resource (bacula-wire 2.5): informational.
enum TLSNeed {
    static func of(_ storage: Resource) -> Int { storage.bool("TlsRequire") ? 2 : storage.bool("TlsEnable") ? 1 : 0 }
}
