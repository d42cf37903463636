public import OMJSON

extension ImageInfo {
  /// The channels that a user means.
  ///
  /// - Parameters:
  ///   - names: Labels, wavelength ids or indices, or `all`; nil means the only channel.
  ///   - skippingMissing: Whether names that fit nothing are left out instead of an error.
  ///   - allowingMany: Whether nil means all channels.
  /// - Returns: Channel indices in the order given, each once.
  /// - Throws: A fault of kind `usage` that lists the channels.
  public func channels(
    named names: [String]?, skippingMissing: Bool, allowingMany: Bool
  ) throws(Fault) -> [Int] {
    guard let names else {
      if channelCount == 1 || allowingMany { return Array(0..<channelCount) }
      throw Fault(
        .usage, "", "the image has \(channelCount) channels and none is chosen",
        facts: ["channels: \(channelList)"],
        hint: "choose with `--channel NAME`, several with commas, or `--channel all`")
    }
    if names == ["all"] { return Array(0..<channelCount) }
    var found: [Int] = []
    for name in names {
      if let index = try channel(named: name) {
        if !found.contains(index) { found.append(index) }
      } else if !skippingMissing {
        throw Fault(
          .usage, "", "the image has no channel `\(name)`", facts: ["channels: \(channelList)"],
          hint: "`--skip-if-missing` leaves out images without it")
      }
    }
    return found
  }

  /// The channel of a label, wavelength id or index, in this order.
  private func channel(named name: String) throws(Fault) -> Int? {
    let known = (channels ?? []).prefix(channelCount)
    for read in [\Channel.label, \Channel.wavelengthID] {
      let fitting = known.indices.filter { known[$0][keyPath: read] == name }
      if fitting.count > 1 {
        throw Fault(
          .usage, "",
          "channels \(fitting.map(String.init).joined(separator: " and ")) are both named `\(name)`",
          hint: "choose by index")
      }
      if let only = fitting.first { return only }
    }
    guard let index = Int(name), (0..<channelCount).contains(index) else { return nil }
    return index
  }

  /// The channels for people: index, label and wavelength id.
  private var channelList: String {
    (0..<channelCount).map { index in
      let channel = channels.flatMap { index < $0.count ? $0[index] : nil }
      let names = [channel?.label, channel?.wavelengthID].compactMap(\.self)
      return names.isEmpty ? "\(index)" : "\(index) (\(names.joined(separator: ", ")))"
    }.joined(separator: ", ")
  }
}
