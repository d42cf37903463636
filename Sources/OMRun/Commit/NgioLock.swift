import OMImage
import OMStore

/// The locks that ngio takes while it adds images to plates and wells.
///
/// ngio 1.1 locks `<opened group>.ngio-locks/<path of the group in it, or root>.lock` with `flock` when
/// it changes the list of images of a well or plate; a well may have been opened by itself or in its
/// plate. It locks nothing when it adds a label image. The files stay after the first use, so where
/// there are none ngio has never locked here, and none are made.
enum NgioLock {
  /// Seconds for which ngio waits.
  private static let patience = 10.0

  /// Takes the locks under which ngio would change the document of a group.
  ///
  /// *Local*.
  ///
  /// - Parameters:
  ///   - root: The folder of the whole hierarchy.
  ///   - group: The key of the group.
  /// - Returns: The locks, held as long as they are referred to.
  static func acquire(root: String, group: String) -> [AdvisoryLock] {
    files(root: root, group: group).compactMap { AdvisoryLock.acquire($0, patience: patience) }
  }

  /// The files that ngio would lock, from the whole hierarchy down to the group.
  static func files(root: String, group: String) -> [String] {
    let parts = group.split(separator: "/")
    return (0...parts.count).map { count in
      let opened = joinedKey(root, parts[..<count].joined(separator: "/"))
      let inside = parts[count...].joined(separator: "/")
      return "\(opened).ngio-locks/\(inside.isEmpty ? "root" : quoted(inside)).lock"
    }
  }

  /// A path as one name, as Python's `quote` makes it: all but letters, digits, `_.-~` by numbers.
  private static func quoted(_ path: String) -> String {
    path.utf8.map { byte in
      let letter = Character(Unicode.Scalar(byte))
      if byte < 128 && (letter.isLetter || letter.isNumber || "_.-~".contains(letter)) {
        return String(letter)
      }
      return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}
