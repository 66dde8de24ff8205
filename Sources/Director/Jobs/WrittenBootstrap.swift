// Write Bootstrap: the file that lets a volume be restored when the catalog is gone.

import Platform

enum WrittenBootstrap {
    /// Stores `text` at `target`, durably. A Full begins the file anew, later levels add to it; `|command` gets it on
    /// standard input.
    static func store(_ text: String, target: String, replacing: Bool) throws(DirectorError) {
        if target.hasPrefix("|") { return try pipe(text, into: String(target.dropFirst())) }
        do throws(SystemError) {
            var contents: [UInt8] = []
            if !replacing {
                do throws(SystemError) { contents = try OpenFile.contents(of: target) } catch {
                    guard error.isMissingFile else { throw error }
                }
            }
            try OpenFile.replace(target, with: contents + Array(text.utf8))
        } catch { throw DirectorError(.system, error.what, remedy: error.remedy) }
    }

    private static func pipe(_ text: String, into command: String) throws(DirectorError) {
        var options = ChildProcess.Options()
        options.input = Array(text.utf8)
        options.mergesErrors = true
        options.timeLimit = .seconds(300)
        do throws(SystemError) {
            let ended = try ChildProcess.run(CommandLineWords.split(command), options)
            guard ended.succeeded else {
                let output = String(decoding: ended.output.prefix(500), as: UTF8.self)
                throw SystemError("run", "\(command) (\(ended.endingText): \(output))", errno: 0)
            }
        } catch { throw DirectorError(.script, "The command \"\(command)\" failed: \(error.what)") }
    }
}
