import OMManifest

/// The Swift text that the compiler makes: the one place that knows what a catalogue looks like.
enum CatalogTemplate {
  /// The whole file.
  static func file(for sources: [ManifestSource]) -> String {
    """
    // Made by manifest-compiler from Manifests/*.json; changes here are lost.
    public import OMJSON
    public import OMManifest
    public import OMTask

    /// The tasks of this program.
    public enum TaskCatalog {
      /// One entry for each manifest.
      public static let entries: [CatalogEntry] = [
    \(sources.map(entry).joined(separator: ",\n"))
      ]
    }

    \(sources.map(ParametersTemplate.text).joined(separator: "\n"))
    \(sources.map(literal).joined(separator: "\n"))
    """
  }

  private static func entry(_ source: ManifestSource) -> String {
    "    CatalogEntry(manifestText: \(literalName(source)), task: \(source.typePrefix)Task.self)"
  }

  private static func literalName(_ source: ManifestSource) -> String {
    "manifestOf\(source.typePrefix)"
  }

  /// The manifest as a raw string literal with enough `#` that nothing in it can end it.
  private static func literal(_ source: ManifestSource) -> String {
    let longest = source.text.split { $0 != "#" }.map(\.count).max() ?? 0
    let fence = String(repeating: "#", count: longest + 1)
    return """
      /// Manifests/\(source.fileName)
      private let \(literalName(source)) = \(fence)\"""
      \(source.text)
      \"""\(fence)

      """
  }
}
