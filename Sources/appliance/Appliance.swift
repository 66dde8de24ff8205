import ArgumentParser

@main struct Appliance: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appliance", abstract: "A whole backup system in one program.", subcommands: [ConsoleCommand.self])
}
