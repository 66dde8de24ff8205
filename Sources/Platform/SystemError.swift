// How a failed system call and an operator-facing failure look everywhere in the house.

import CSystem
import Glibc

/// An error an operator may meet: what happened, to which object, and what to do about it.
///
/// Every module's presentable errors conform. `code` is stable and documented in docs/errors.md, programs match on it;
/// the sentences may change between releases.
package protocol PresentableError: Error, CustomStringConvertible {
    /// Stable, lower case with hyphens: `volume-full`, `tls-refused`.
    var code: String { get }
    /// One sentence that names the objects involved.
    var what: String { get }
    /// One instruction an operator can follow; may be empty where nothing can be done.
    var remedy: String { get }
    /// False when trying the same thing again may help.
    var isPermanent: Bool { get }
}

extension PresentableError {
    package var isPermanent: Bool { true }
    package var description: String { remedy.isEmpty ? "\(code): \(what)" : "\(code): \(what) \(remedy)" }
}

/// A system call that failed: the call, the object it was made on, and the kernel's reason.
package struct SystemError: PresentableError, Equatable {
    /// The call, as its man page is named: `openat`, `fsync`.
    package var call: String
    /// The path, address or other name of the object.
    package var object: String
    /// The kernel's errno value.
    package var errno: Int32

    package init(_ call: String, _ object: String, errno: Int32) {
        self.call = call
        self.object = object
        self.errno = errno
    }

    /// The reason in words, as strerror(3) gives it.
    package var reason: String { SystemError.text(for: errno) }
    package var code: String { "system-\(call)" }
    package var what: String { "\(call) of \(object) failed: \(reason)." }
    package var remedy: String {
        switch errno {
        case ENOSPC, EDQUOT: "Free some space, then run the job again."
        case EACCES, EPERM: "Check the permissions and the user that the daemon runs as."
        default: ""
        }
    }
    package var isPermanent: Bool { errno != EINTR && errno != EAGAIN && errno != EBUSY }

    /// strerror_r(3), without its shared buffer.
    package static func text(for errno: Int32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            // The GNU variant returns a pointer either into the buffer or to a constant; both outlive this line.
            guard let text = unsafe csystem_strerror(errno, buffer.baseAddress, buffer.count) else { return "errno \(errno)" }
            return unsafe String(cString: text)
        }
    }
}
