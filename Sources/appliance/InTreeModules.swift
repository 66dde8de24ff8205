// The modules compiled into this binary, handed to the roles.

import DiskRepository
import Modules

/// Add a module here and in Package.swift; nothing else needs to know it.
enum InTreeModules {
    static let registry = ModuleRegistry([
        .diskRepository
    ])
}
