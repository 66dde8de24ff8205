import GRDB

enum CatalogSchema {
    static var migrator: DatabaseMigrator { DatabaseMigrator() }
}
