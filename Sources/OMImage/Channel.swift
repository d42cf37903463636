import OMJSON

/// What an image says about one of its channels.
package struct Channel: Sendable, Equatable {
  /// The name for people, such as `DAPI`.
  package let label: String?
  /// The identifier of the wavelength, such as `A01_C01`.
  package let wavelengthID: String?

  /// Reads `omero.channels`.
  ///
  /// The block is transitional and often incomplete, so nothing in it is an error.
  ///
  /// - Returns: The channels, or nil when the image describes none; a warning when the block is
  ///   there but cannot be read.
  static func read(_ keys: JSONObject, subject: String) -> (channels: [Channel]?, warning: String?)
  {
    guard let omero = keys["omero"] else { return (nil, nil) }
    guard let list = omero["channels"]?.arrayValue else {
      return (nil, "\(subject) has `omero` without a list of channels")
    }
    let channels = list.map {
      Channel(label: text($0["label"]), wavelengthID: text($0["wavelength_id"]))
    }
    return (channels, nil)
  }

  /// The text of a value that people write as text or number; empty counts as absent.
  private static func text(_ json: JSON?) -> String? {
    if case .number(let digits)? = json { return digits }
    guard let text = json?.stringValue, !text.isEmpty else { return nil }
    return text
  }
}
