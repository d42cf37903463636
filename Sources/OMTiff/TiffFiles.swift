import OMJSON
import OMStore
import Synchronization

/// The files of a set, found by their names, and what their pages say.
final class TiffFiles: Sendable {
  private struct State {
    var files: [TiffFile]
    var numbers: [String: Int]
  }
  private let store: any Store
  private let folder: String
  private let state: Mutex<State>

  /// Begins with a file, or with several.
  init(_ store: any Store, _ files: [TiffFile]) {
    self.store = store
    let first = files.first?.key ?? ""
    folder = first.lastIndex(of: "/").map { String(first[..<$0]) } ?? ""
    var numbers: [String: Int] = [:]
    for (number, file) in files.enumerated() { numbers[file.key] = number }
    state = Mutex(State(files: files, numbers: numbers))
  }

  /// How many there are.
  var count: Int { state.withLock { $0.files.count } }

  /// A file.
  func file(_ number: Int) -> TiffFile { state.withLock { $0.files[number] } }

  /// The number of a file beside the first one; nil when it is not there.
  ///
  /// - Throws: `path` for a name that leads elsewhere.
  func number(of name: String) throws(Fault) -> Int? {
    let key = path(below: folder, try checkedKey(name, subject: ""))
    if let known = state.withLock({ $0.numbers[key] }) { return known < 0 ? nil : known }
    let file = try TiffFile(store, key, keepsText: false)
    return state.withLock { state in
      guard let file else {
        state.numbers[key] = -1
        return nil
      }
      state.files.append(file)
      state.numbers[key] = state.files.count - 1
      return state.files.count - 1
    }
  }

  /// What the pages of a file say.
  ///
  /// - Throws: Faults that name the file where there are several.
  func content(_ number: Int) throws(Fault) -> TiffContent {
    let file = file(number)
    do throws(Fault) { return try file.pages() } catch { throw naming(error, file) }
  }

  /// A page.
  func page(_ place: TiffPlace) throws(Fault) -> TiffPage {
    let content = try content(Int(place.file))
    let file = file(Int(place.file))
    guard place.page < content.places.count else {
      throw naming(
        Fault(
          .metadata, "", "has \(content.places.count) pages, page \(place.page) is asked for",
          hint: "the file may be cut off; copy or save it anew"), file)
    }
    guard let page = content.places[Int(place.page)] else {
      throw naming(
        Fault(.metadata, "", "page \(place.page) is a smaller copy of another one"), file)
    }
    return content.pages[page]
  }

  /// Names the file in a fault, when there are several.
  func naming(_ fault: Fault, _ file: TiffFile) -> Fault {
    count == 1
      ? fault
      : Fault(fault.kind, fault.subject, "`\(file.key)`: \(fault.message)", hint: fault.hint)
  }
}

/// The path of a name in a folder; the folder may be empty.
func path(below folder: String, _ name: String) -> String {
  folder.isEmpty ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
}
