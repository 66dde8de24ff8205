// TCP sockets: addresses, dialling, listening, and streams that any thread may cut short.

import CSystem
import Glibc
import Synchronization

/// An IPv4 or IPv6 address with a port, as the kernel takes it.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// The bytes of a sockaddr_in or sockaddr_in6.
    private let bytes: [UInt8]

    private init(_ address: UnsafePointer<sockaddr>, length: Int) {
        bytes = unsafe Array(UnsafeRawBufferPointer(start: address, count: length))
    }

    package var isIPv6: Bool { family == AF_INET6 }
    /// sa_family_t, in the byte order of the machines we build for.
    fileprivate var family: Int32 { Int32(bytes[0]) | Int32(bytes[1]) << 8 }
    /// Both families keep the port, big-endian, in bytes 2 and 3.
    package var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    fileprivate func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
        }
    }

    /// The address without the port, in numbers: `127.0.0.1`, `fe80::1%eth0`. An IPv4 peer of a dual-stack socket shows as IPv4.
    package var host: String {
        let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1100) { buffer in
            let failed = unsafe withPointer { address, length in
                unsafe getnameinfo(address, length, buffer.baseAddress, 1100, nil, 0, NI_NUMERICHOST)
            }
            return failed == 0 ? unsafe String(cString: buffer.baseAddress!) : "?"
        }
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }

    package var description: String {
        let host = self.host
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// A name that has no address, with the resolver's reason.
    package struct Unresolved: Error, Sendable {
        package let reason: String
        /// The resolver could not be asked; later it may.
        package let isTemporary: Bool
    }

    /// getaddrinfo(3): every address of `host`, in the order to try them. Blocks while the resolver is asked.
    ///
    /// - Parameter host: Name or numbers; empty means every local address when `passive`, else this machine.
    package static func resolve(_ host: String, port: UInt16, passive: Bool = false) throws(Unresolved)
        -> [SocketAddress]
    {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = passive ? AI_PASSIVE : 0
        var list: UnsafeMutablePointer<addrinfo>?
        let failed = unsafe getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        guard failed == 0 else {
            throw Unresolved(reason: unsafe String(cString: gai_strerror(failed)), isTemporary: failed == EAI_AGAIN)
        }
        defer { unsafe freeaddrinfo(list) }
        var result: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let family = unsafe entry.pointee.ai_family
            if family == AF_INET || family == AF_INET6, let address = unsafe entry.pointee.ai_addr {
                result.append(unsafe SocketAddress(address, length: Int(entry.pointee.ai_addrlen)))
            }
            unsafe next = entry.pointee.ai_next
        }
        return result
    }

    fileprivate static func local(of descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
                return unsafe SocketAddress(address, length: Int(length))
            }
        }
    }

    fileprivate static func accepting(_ descriptor: Int32) -> (Int32, SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let accepted = unsafe csystem_accept(descriptor, address, &length)
                return (accepted, accepted >= 0 ? unsafe SocketAddress(address, length: Int(length)) : nil)
            }
        }
    }
}

/// A connected TCP socket.
///
/// One thread may receive while others send (one at a time each way: the callers see to that). `shutDown` from any
/// thread ends the blocked calls of the others; the descriptor itself is closed only when nobody refers to the socket any
/// more, so that its number can't be taken by another file while a call still uses it.
package final class StreamSocket: Sendable {
    private let descriptor: Int32
    package let peer: SocketAddress
    // The limits in force, in microseconds (0: none), so that a call that keeps them costs no setsockopt.
    private let receiveLimit = Atomic<Int64>(0)
    private let sendLimit = Atomic<Int64>(0)

    fileprivate init(adopting descriptor: Int32, peer: SocketAddress) {
        self.descriptor = descriptor
        self.peer = peer
        setOption(IPPROTO_TCP.number, TCP_NODELAY, 1)
    }

    deinit { close(descriptor) }

    /// connect(2) within `limit`.
    ///
    /// - Parameters:
    ///   - source: The local address to dial from; nil lets the kernel choose.
    ///   - isCancelled: Asked five times a second while the peer has not answered.
    /// - Throws: errno ETIMEDOUT when the limit passed, ECANCELED when `isCancelled` said so.
    package static func connect(
        to address: SocketAddress, from source: SocketAddress? = nil, within limit: Duration, isCancelled: () -> Bool
    ) throws(SystemError) -> StreamSocket {
        let name = address.description
        let descriptor = socket(
            address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", name, errno: errno) }
        let socket = StreamSocket(adopting: descriptor, peer: address)
        if let source {
            // The port is left open until connect, so that many connections may share one source address.
            socket.setOption(IPPROTO_IP.number, 24 /* IP_BIND_ADDRESS_NO_PORT */, 1)
            guard unsafe source.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
                throw SystemError("bind", source.host, errno: errno)
            }
        }
        if unsafe address.withPointer({ unsafe Glibc.connect(descriptor, $0, $1) }) != 0 {
            guard errno == EINPROGRESS || errno == EINTR else { throw SystemError("connect", name, errno: errno) }
            let deadline = ContinuousClock.now + limit
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            while true {
                if isCancelled() { throw SystemError("connect", name, errno: ECANCELED) }
                let rest = ContinuousClock.now.duration(to: deadline)
                if rest <= .zero { throw SystemError("connect", name, errno: ETIMEDOUT) }
                let milliseconds = Int32(min(200, rest.wholeMicroseconds / 1000 + 1))
                if unsafe poll(&ready, 1, milliseconds) > 0 { break }
            }
            var failure: Int32 = 0
            var length = socklen_t(4)
            unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
            guard failure == 0 else { throw SystemError("connect", name, errno: failure) }
        }
        // From here on calls block; their limits are socket options.
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        return socket
    }

    private func setOption(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, option, &value, 4)
    }

    /// Lets the kernel probe an idle peer every `interval`, and give up after five probes without an answer.
    package func setKeepAlive(every interval: Duration?) {
        guard let interval else { return setOption(SOL_SOCKET, SO_KEEPALIVE, 0) }
        let seconds = Int32(clamping: max(1, interval.components.seconds))
        setOption(IPPROTO_TCP.number, TCP_KEEPIDLE, seconds)
        setOption(IPPROTO_TCP.number, TCP_KEEPINTVL, max(1, seconds / 5))
        setOption(IPPROTO_TCP.number, TCP_KEEPCNT, 5)
        setOption(SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// recv(2): blocks for the first bytes and gives what is there. 0 is the peer's orderly end.
    ///
    /// - Parameter limit: How long to wait; nil waits for ever.
    /// - Throws: errno EAGAIN when the limit passed.
    package func receive(into buffer: UnsafeMutableRawBufferPointer, within limit: Duration?) throws(SystemError) -> Int {
        setLimit(limit, SO_RCVTIMEO, receiveLimit)
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            if errno != EINTR { throw SystemError("recv", peer.description, errno: errno) }
        }
    }

    /// Reads what is there already, without waiting; 0 where nothing is.
    package func receiveAvailable(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        return max(0, count)
    }

    /// Sends all of `bytes`.
    ///
    /// - Parameter limit: How long the peer may take no bytes at all; nil waits for ever.
    /// - Throws: errno EAGAIN when the limit passed; some bytes may have gone.
    package func send(_ bytes: UnsafeRawBufferPointer, within limit: Duration?) throws(SystemError) {
        setLimit(limit, SO_SNDTIMEO, sendLimit)
        var done = 0
        while done < bytes.count {
            let count = unsafe Glibc.send(
                descriptor, bytes.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw SystemError("send", peer.description, errno: errno)
            }
        }
    }

    /// Sends what the network takes at once.
    ///
    /// - Returns: How many bytes it took, perhaps none.
    package func sendAvailable(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = unsafe Glibc.send(
                descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { throw SystemError("send", peer.description, errno: errno) }
        }
    }

    private func setLimit(_ limit: Duration?, _ option: Int32, _ current: borrowing Atomic<Int64>) {
        // A limit that has passed already is the shortest one there is: 0 would mean none.
        let microseconds = limit.map { max(1000, $0.wholeMicroseconds) } ?? 0
        guard current.exchange(microseconds, ordering: .relaxed) != microseconds else { return }
        var value = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
    }

    /// shutdown(2) of our direction: the peer reads its end after what was sent.
    package func finishSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// shutdown(2) of both directions: every blocked call returns, later ones fail.
    package func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// A socket that accepts connections.
package final class ListeningSocket: Sendable {
    private let descriptor: Int32
    /// The address really bound; its port is chosen by the kernel where 0 was asked for.
    package let address: SocketAddress

    /// Binds `host`, or every address where it is empty: one IPv6 socket that takes IPv4 too, or an IPv4 one on a
    /// kernel without IPv6.
    package convenience init(_ host: String, port: UInt16, backlog: Int32 = 512) throws(SystemError) {
        let addresses: [SocketAddress]
        do throws(SocketAddress.Unresolved) {
            addresses =
                host.isEmpty
                ? try ((try? SocketAddress.resolve("::", port: port, passive: true)) ?? [])
                    + SocketAddress.resolve("0.0.0.0", port: port, passive: true)
                : try SocketAddress.resolve(host, port: port, passive: true)
        } catch {
            throw SystemError("getaddrinfo", host, errno: EADDRNOTAVAIL)
        }
        var failure = SystemError("bind", "\(host):\(port)", errno: EADDRNOTAVAIL)
        for address in addresses {
            do throws(SystemError) {
                let (descriptor, bound) = try Self.open(address, backlog: backlog)
                self.init(adopting: descriptor, address: bound)
                return
            } catch {
                failure = error
                // Only a kernel without IPv6 is a reason to be content with IPv4; a port in use is not.
                if error.errno != EAFNOSUPPORT, error.errno != EADDRNOTAVAIL { break }
            }
        }
        throw failure
    }

    private init(adopting descriptor: Int32, address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { close(descriptor) }

    private static func open(_ address: SocketAddress, backlog: Int32) throws(SystemError) -> (Int32, SocketAddress) {
        let name = address.description
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket", name, errno: errno) }
        var one: Int32 = 1
        var zero: Int32 = 0
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if address.isIPv6 { unsafe setsockopt(descriptor, IPPROTO_IPV6.number, IPV6_V6ONLY, &zero, 4) }
        let bound = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
        guard bound == 0, listen(descriptor, backlog) == 0, let local = SocketAddress.local(of: descriptor) else {
            let reason = errno
            close(descriptor)
            throw SystemError("bind", name, errno: reason)
        }
        return (descriptor, local)
    }

    /// accept(2). Blocks; `shutDown` ends it with EINVAL. A connection that its peer gave up meanwhile is skipped.
    ///
    /// - Throws: EMFILE, ENFILE, ENOBUFS, ENOMEM when the machine is short of something: wait a moment and call again.
    package func accept() throws(SystemError) -> StreamSocket {
        while true {
            let (accepted, peer) = SocketAddress.accepting(descriptor)
            if accepted >= 0, let peer { return StreamSocket(adopting: accepted, peer: peer) }
            switch errno {
            // accept(2): errors already pending on the new connection are reported here and mean only that one is gone.
            case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                ENETUNREACH:
                continue
            default: throw SystemError("accept", address.description, errno: errno)
            }
        }
    }

    /// Ends a blocked `accept` and refuses new connections.
    package func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}

extension SystemError {
    /// The machine is short of descriptors or memory; the same call may succeed in a moment.
    package var isShortage: Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) }
    /// The limit of a socket call passed.
    package var isTimeout: Bool { errno == EAGAIN || errno == ETIMEDOUT }
    /// Nobody listens on that port.
    package var isRefusal: Bool { errno == ECONNREFUSED }
    package var isCancellation: Bool { errno == ECANCELED }
    /// The peer is gone without an orderly end.
    package var isBrokenConnection: Bool { errno == ECONNRESET || errno == EPIPE || errno == ENOTCONN }
    package var isUnreachable: Bool { [ENETUNREACH, EHOSTUNREACH, EHOSTDOWN, ENETDOWN].contains(errno) }
}

extension Duration {
    /// Rounded towards zero.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000 &+ attoseconds / 1_000_000_000_000
    }
}

// The C headers give these as enumerations or as plain numbers, depending on the constant.
extension Int { fileprivate var number: Int32 { Int32(self) } }
