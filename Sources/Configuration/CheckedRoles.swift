// Which roles a file is probably for, when nobody says.

extension ConfigurationLoader {
    /// The roles for which the file can be read with the fewest errors; ties go to the director, then sd, fd, console.
    package static func likelyRoles(of path: String) -> Set<Role> {
        let candidates: [Set<Role>] = [[.director], [.storageDaemon], [.fileDaemon], [.console], [.director, .storageDaemon, .fileDaemon]]
        let scored = candidates.map { roles in
            (roles, examine(path, roles: roles).diagnostics.count { $0.severity == .error })
        }
        return scored.min { $0.1 < $1.1 }?.0 ?? [.director]
    }
}
