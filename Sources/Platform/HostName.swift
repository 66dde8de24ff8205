// The name of the machine.

import Glibc

package enum HostName {
    /// gethostname(2), or `localhost` where there is none.
    package static var current: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard unsafe gethostname(buffer.baseAddress!, buffer.count - 1) == 0 else { return "localhost" }
            unsafe buffer[255] = 0
            return unsafe String(cString: buffer.baseAddress!)
        }
    }
}
