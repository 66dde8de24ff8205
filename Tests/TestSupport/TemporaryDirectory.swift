// A directory of a test's own, gone when the test is.

import Glibc
import Platform

/// Creates `/tmp/appliance-test-XXXXXX` and removes it, with everything in it, when released.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/appliance-test-XXXXXX\0".utf8CString)
        let created = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        precondition(created, "mkdtemp: \(SystemError.text(for: errno))")
        path = unsafe template.withUnsafeBufferPointer { buffer in
            unsafe String(cString: buffer.baseAddress!)
        }
    }

    deinit { Self.remove(path) }

    /// The path of `name` inside.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes a tree without following links, however long its paths are.
    private static func remove(_ path: String) {
        let slash = path.lastIndex(of: "/")!
        try? OpenDirectory.open(Array(path[..<slash].utf8)).removeTree(Array(path[path.index(after: slash)...].utf8))
    }
}
