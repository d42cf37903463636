import Foundation
import PackagePlugin

/// Compiles the JSON files of `Manifests/` into the target: their texts, a struct of typed
/// parameters for each, and the catalogue of tasks.
@main struct ManifestPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "Manifests")
    let manifests = try FileManager.default
      .contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
    let output = context.pluginWorkDirectoryURL.appending(path: "TaskCatalog.swift")
    return [
      .buildCommand(
        displayName: "Compiling \(manifests.count) task manifests",
        executable: try context.tool(named: "manifest-compiler").url,
        arguments: [output.path(percentEncoded: false)]
          + manifests.map { $0.path(percentEncoded: false) },
        inputFiles: manifests, outputFiles: [output])
    ]
  }
}
