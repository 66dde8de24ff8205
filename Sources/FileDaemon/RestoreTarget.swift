// The directory that a restore writes beneath, and the way to every place below it that no link can bend.
//
// A path is taken apart here and nowhere else: `..` is refused, and every component is opened relative to the one before
// without following a symbolic link (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS where the kernel has it,
// openat(2) with O_NOFOLLOW, one by one, where not). So neither names in the records nor links planted in the target lead
// out of it. The root itself is the operator's choice; links in its own path are followed.

import Platform
import Synchronization

/// Opens and creates directories beneath the root. For several threads.
final class RestoreTarget: Sendable {
    /// An open directory of the target.
    struct Place: Sendable {
        var directory: OpenDirectory
        /// New entries inherit an access list here, which those saved without one must not keep.
        var hasDefaultACL: Bool
    }

    /// Why a place can't be had.
    struct Refusal: Error {
        var text: String
    }

    private struct Cache {
        /// Directories by relative path, and the order of their use, oldest first.
        var places: [[UInt8]: Place] = [:]
        var order: [[UInt8]] = []
        /// Directories this restore made whose own record hasn't come.
        var made: Set<[UInt8]> = []
    }
    private let cache = Mutex(Cache())
    private let root: OpenDirectory
    private let rootHasDefaultACL: Bool
    /// Descriptors kept open: well below the usual limit of 1,024.
    private static let placesMax = 200

    /// Opens `path`, making it and its parents as needed.
    init(_ path: [UInt8]) throws(RestoreError) {
        do throws(Errno) {
            if path.isEmpty || path == [UInt8(ascii: "/")] {
                root = try OpenDirectory.open([UInt8(ascii: "/")])
            } else {
                root = try Self.openMaking(path)
            }
        } catch {
            throw RestoreError(
                .badRoot, "The directory to restore to, \(printable(path)), can't be opened: \(error.text).",
                remedy: "Check that it can be created and written by the file daemon.")
        }
        rootHasDefaultACL = Self.hasDefaultACL(root)
    }

    private static func openMaking(_ path: [UInt8]) throws(Errno) -> OpenDirectory {
        do throws(Errno) { return try OpenDirectory.open(path) } catch { guard error == .noEntry else { throw error } }
        var current = try OpenDirectory.open(path.first == UInt8(ascii: "/") ? [UInt8(ascii: "/")] : [UInt8(ascii: ".")])
        for component in path.split(separator: UInt8(ascii: "/")).map(Array.init) {
            do throws(Errno) { try current.makeDirectory(component, mode: 0o755) } catch {
                guard error == .exists else { throw error }
            }
            current = try current.descendant(component)
        }
        return current
    }

    private static func hasDefaultACL(_ directory: OpenDirectory) -> Bool {
        ((try? ExtendedAttributes(of: directory).value(PosixACL.defaultAttribute)) ?? nil) != nil
    }

    /// The components of a saved path: no empty ones, no `.`; nil when one is `..`.
    static func components(_ path: [UInt8]) -> [[UInt8]]? {
        var components: [[UInt8]] = []
        for part in path.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) { return nil }
            components.append(Array(part))
        }
        return components
    }

    /// The directory of these components, made where it is missing.
    func place(_ components: ArraySlice<[UInt8]>) throws(Refusal) -> Place {
        let start = Place(directory: root, hasDefaultACL: rootHasDefaultACL)
        if components.isEmpty { return start }
        let path = Self.joined(components)
        if let known = cache.withLock({ $0.places[path] }) { return known }
        do throws(Errno) {
            let directory = try root.directoryBeneath(path)
            return remember(path, Place(directory: directory, hasDefaultACL: Self.hasDefaultACL(directory)))
        } catch {
            // Missing, too long for one call, or no such call: step by step, which also finds out what is in the way.
        }
        // From the nearest ancestor that is open; no recursion, a path may have thousands of components.
        var depth = components.count - 1
        var current = start
        while depth > 0 {
            let ancestor = Self.joined(components.prefix(depth))
            if let known = cache.withLock({ $0.places[ancestor] }) {
                current = known
                break
            }
            depth -= 1
        }
        for index in depth..<components.count {
            current = try step(from: current, to: components[components.startIndex + index], components.prefix(index + 1))
        }
        return current
    }

    private static func joined(_ components: ArraySlice<[UInt8]>) -> [UInt8] {
        Array(components.joined(separator: [UInt8(ascii: "/")]))
    }

    private func step(from parent: Place, to name: [UInt8], _ components: ArraySlice<[UInt8]>) throws(Refusal) -> Place {
        let path = Self.joined(components)
        var made = false
        do throws(Errno) {
            try parent.directory.makeDirectory(name, mode: 0o700)
            made = true
        } catch {
            guard error == .exists else { throw Refusal(text: "directory \(printable(path)) can't be made: \(error.text)") }
        }
        do throws(Errno) {
            let directory = try parent.directory.directory(name)
            if made { cache.withLock { _ = $0.made.insert(path) } }
            return remember(path, Place(directory: directory, hasDefaultACL: parent.hasDefaultACL || Self.hasDefaultACL(directory)))
        } catch {
            let isLink = error == .notDirectory || error == .loop
            throw Refusal(
                text: isLink
                    ? "\(printable(path)) is in the way: it is no directory, or a symbolic link, which a restore does not follow"
                    : "directory \(printable(path)) can't be opened: \(error.text)")
        }
    }

    private func remember(_ path: [UInt8], _ place: Place) -> Place {
        cache.withLock { cache in
            if cache.places[path] == nil {
                cache.order.append(path)
                if cache.order.count > Self.placesMax {
                    // Half at once, so that forgetting is rare.
                    for old in cache.order.prefix(Self.placesMax / 2) { cache.places[old] = nil }
                    cache.order.removeFirst(Self.placesMax / 2)
                }
            }
            cache.places[path] = place
        }
        return place
    }

    /// Forgets what is open at and below `path`: something else is to stand there.
    func forget() {
        cache.withLock { cache in
            cache.places = [:]
            cache.order = []
        }
    }

    /// Whether this restore made the directory and its record hadn't come yet. From now on it has.
    func takeOverRecord(of components: ArraySlice<[UInt8]>) -> Bool {
        let path = Self.joined(components)
        return cache.withLock { $0.made.remove(path) != nil }
    }

    /// Gives directories whose record never came the usual mode.
    func finishUnrecorded() {
        let paths = cache.withLock { cache in
            defer { cache.made = [] }
            return cache.made
        }
        for path in paths {
            guard let components = Self.components(path), let place = try? self.place(components[...]) else { continue }
            try? place.directory.setMode(0o755)
        }
    }
}

extension OpenDirectory {
    /// The directory `name` in this one; a link is followed. Only for the path of a restore's root.
    func descendant(_ name: [UInt8]) throws(Errno) -> OpenDirectory {
        do throws(Errno) { return try directory(name) } catch {
            guard error == .notDirectory || error == .loop else { throw error }
            return try directoryFollowingLink(name)
        }
    }
}
