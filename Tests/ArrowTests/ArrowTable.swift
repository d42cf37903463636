/// Who may import whom, in the order of Package.swift; ARCHITECTURE.md gives the reasons.
///
/// A module may import every module of ours above it in `order`, unless a line below says otherwise.
enum ArrowTable {
  /// Our modules, bottom up, as Package.swift lists them.
  static let order = [
    "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMTiff", "OMImage", "OMValidate",
    "OMManifest", "OMTask", "OMTables", "OMExternal", "OMObjects", "OMRun", "OMTaskTesting",
    "OMBench", "OMMPI", "OMCommands", "OMTasks", "manifest-compiler", "omtask",
  ]

  /// Modules that see less than what lies below them.
  static let narrowed: [String: Set<String>] = [
    "OMStore": ["OMJSON"],
    "OMCodecs": ["OMJSON", "OMGrid"],
    // Pages of files; what Zarr is it does not know.
    "OMTiff": ["OMJSON", "OMGrid", "OMStore"],
    // It judges documents and shares no reading of them with those who use images.
    "OMValidate": ["OMJSON", "OMStore", "OMZarr", "OMImage"],
    "OMManifest": ["OMJSON"],
    // Kernels see no store, no path and no rank.
    "OMTask": ["OMJSON", "OMGrid", "OMManifest"],
    // No manifest and no engine: only what a table is and where it lies.
    "OMTables": ["OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMTask"],
    "OMExternal": ["OMJSON", "OMGrid", "OMManifest", "OMTask"],
    "OMObjects": ["OMJSON", "OMGrid"],
    // Runs tasks as they are run; of programs and objects it knows nothing.
    "OMTaskTesting": [
      "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
      "OMTables", "OMRun",
    ],
    // Tasks are measured as they are tried: on samples, by runs.
    "OMBench": [
      "OMJSON", "OMGrid", "OMStore", "OMCodecs", "OMZarr", "OMImage", "OMManifest", "OMTask",
      "OMRun", "OMTaskTesting",
    ],
    "OMTasks": ["OMJSON", "OMGrid", "OMManifest", "OMTask"],
    "manifest-compiler": ["OMJSON", "OMManifest"],
    "omtask": ["OMCommands", "OMTasks"],
  ]

  /// Modules that only those named may import.
  static let reserved: [String: Set<String>] = [
    "OMMPI": ["OMCommands"],
    // nothing that runs tasks in earnest knows how they are tried
    "OMTaskTesting": ["OMBench", "OMCommands"],
    "OMBench": ["OMCommands"],
    "OMValidate": ["OMCommands"],
    // engines know programs as kernels only
    "OMExternal": ["OMCommands"],
    "OMCommands": ["omtask"],
    "OMTasks": ["omtask"],
    "CBlosc": ["OMCodecs"],
    "CZstd": ["OMCodecs"],
    "CZlib": ["OMStore", "OMCodecs"],
    "CCurl": ["OMStore"],
    "CTIFF": ["OMTiff"],
    "CPNG": ["OMCommands"],
    "CMPI": ["OMMPI"],
    "CSys": ["OMStore", "OMCodecs", "OMExternal", "OMRun", "OMBench", "OMCommands"],
    "ArgumentParser": ["OMCommands", "omtask"],
  ]

  /// What every module may use besides ours.
  ///
  /// Foundation is left out on purpose: it costs start-up time.
  static let everywhere: Set<String> = ["Swift", "Glibc", "Synchronization"]

  /// Whether a source file of `module` may say `import imported`.
  static func allows(_ module: String, importing imported: String) -> Bool {
    if everywhere.contains(imported) { return true }
    if let importers = reserved[imported], !importers.contains(module) { return false }
    guard let place = order.firstIndex(of: imported) else { return reserved[imported] != nil }
    guard let own = order.firstIndex(of: module), place < own else { return false }
    return narrowed[module]?.contains(imported) ?? true
  }
}
