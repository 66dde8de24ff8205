import ArgumentParser

@main struct Appliance: ParsableCommand { func run() {} }
