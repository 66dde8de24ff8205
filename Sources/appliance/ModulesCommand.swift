// `appliance modules`: what this binary can drive.

import ArgumentParser
import Modules

struct ModulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modules", abstract: "List the in-tree modules and what each offers.",
        discussion: "A storage daemon loads the modules that its Device resources name by Device Type.")

    @Flag(help: "One JSON object per line.") var json = false

    func run() {
        for module in InTreeModules.registry.modules {
            if json {
                let types = module.deviceTypes.map { "\"\($0)\"" }.joined(separator: ",")
                StandardStream.output.line(
                    #"{"type":"module","name":"\#(module.name)","deviceTypes":[\#(types)],"summary":"\#(module.summary)"}"#)
            } else {
                let types = module.deviceTypes.isEmpty ? "" : "  Device Type = \(module.deviceTypes.joined(separator: ", "))"
                StandardStream.output.line("\(module.name)\(types)\n    \(module.summary)")
            }
        }
    }
}
