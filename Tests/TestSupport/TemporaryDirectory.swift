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

    /// Removes a tree without following links.
    private static func remove(_ path: String) {
        if let directory = unsafe opendir(path) {
            var names: [String] = []
            while let entry = unsafe readdir(directory) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                if name != ".", name != ".." { names.append(name) }
            }
            unsafe closedir(directory)
            for name in names {
                let child = path + "/" + name
                if unsafe unlink(child) != 0 { remove(child) }
            }
        }
        unsafe rmdir(path)
    }
}
