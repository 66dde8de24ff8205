// What stat(2) says of a file, with whole nanoseconds.

import CSystem
import Glibc

/// The kernel's reason alone, for calls whose object the caller knows and will name. Costs no allocation to throw.
package struct Errno: Error, Hashable, Sendable {
    package var code: Int32
    package init(code: Int32) { self.code = code }
    static var last: Errno { Errno(code: errno) }
    package var text: String { SystemError.text(for: code) }

    package static let noEntry = Errno(code: ENOENT)
    package static let exists = Errno(code: EEXIST)
    package static let notDirectory = Errno(code: ENOTDIR)
    package static let isDirectory = Errno(code: EISDIR)
    package static let loop = Errno(code: ELOOP)
    package static let notEmpty = Errno(code: ENOTEMPTY)
    package static let noSpace = Errno(code: ENOSPC)
    package static let notPermitted = Errno(code: EPERM)
    package static let accessDenied = Errno(code: EACCES)
    package static let unsupported = Errno(code: EOPNOTSUPP)
    package static let noData = Errno(code: ENODATA)
    package static let range = Errno(code: ERANGE)
    package static let noSystemCall = Errno(code: ENOSYS)
    package static let invalid = Errno(code: EINVAL)
    package static let crossDevice = Errno(code: EXDEV)
    package static let stale = Errno(code: ESTALE)
    package static let noDevice = Errno(code: ENXIO)
}

/// One file's attributes.
package struct FileMetadata: Hashable, Sendable {
    package enum Kind: Sendable, Hashable {
        case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, unknown
    }

    /// A file within this machine, whatever its names are.
    package struct Identity: Hashable, Sendable {
        package var device: UInt64
        package var inode: UInt64
        package init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
    }

    package var device: UInt64
    package var inode: UInt64
    /// Type and permission bits, as in st_mode.
    package var mode: UInt32
    package var links: UInt64
    package var user: UInt32
    package var group: UInt32
    package var specialDevice: UInt64
    package var size: Int64
    package var blockSize: Int64
    /// Of 512 bytes.
    package var blocks: Int64
    package var accessTime: WallTime
    package var modifyTime: WallTime
    package var changeTime: WallTime

    package var identity: Identity { Identity(device: device, inode: inode) }
    package var permissions: UInt32 { mode & 0o7777 }
    package var kind: Kind { Self.kind(ofMode: mode) }

    package static func kind(ofMode mode: UInt32) -> Kind {
        switch mode & 0o170000 {
        case 0o100000: .regular
        case 0o040000: .directory
        case 0o120000: .symbolicLink
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        case 0o010000: .fifo
        case 0o140000: .socket
        default: .unknown
        }
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = UInt32(status.st_mode)
        links = UInt64(status.st_nlink)
        user = status.st_uid
        group = status.st_gid
        specialDevice = UInt64(status.st_rdev)
        size = Int64(status.st_size)
        blockSize = Int64(status.st_blksize)
        blocks = Int64(status.st_blocks)
        accessTime = WallTime(status.st_atim)
        modifyTime = WallTime(status.st_mtim)
        changeTime = WallTime(status.st_ctim)
    }
}

extension WallTime {
    init(_ time: timespec) { self.init(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)) }
    var kernelTime: timespec {
        timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds - seconds * 1_000_000_000))
    }
    /// Nanoseconds within the second, 0..<1,000,000,000.
    package var nanosecondPart: Int64 { nanoseconds &- seconds &* 1_000_000_000 }
}

/// Device numbers as the kernel packs them.
package enum DeviceNumber {
    package static func major(_ device: UInt64) -> UInt32 { csystem_major(device) }
    package static func minor(_ device: UInt64) -> UInt32 { csystem_minor(device) }
    package static func make(major: UInt32, minor: UInt32) -> UInt64 { csystem_makedev(major, minor) }
}
