import OMJSON

extension Inspector {
  /// Checks `omero`.
  ///
  /// - Returns: The number of channels; nil when there is no list of them.
  @discardableResult
  mutating func omero(_ omero: Spot) -> Int? {
    guard omero.value.objectValue != nil else {
      report(.omeroObject, omero, "`omero` is \(omero.value.excerpt), expected an object")
      return nil
    }
    guard let channels = requiredObjects("channels", in: omero, .omeroChannels, mayBeEmpty: true)
    else { return nil }
    for channel in channels { self.channel(channel) }
    return channels.count
  }

  private mutating func channel(_ channel: Spot) {
    expect("color", in: channel, .omeroColor)
    if let color = optional("color", .string, in: channel, .omeroColorText),
      let spot = channel["color"],
      !(color.utf8.count == 6 && color.allSatisfy { $0.isASCII && $0.isHexDigit })
    {
      report(.omeroColorDigits, spot, "`color` is \"\(color)\", expected six hexadecimal digits")
    }
    optional("label", .string, in: channel, .omeroTexts)
    if version <= .v0_6 { optional("family", .string, in: channel, .omeroTexts) }
    optional("active", .bool, in: channel, .omeroTexts)
    if version >= .v0_9 { optional("inverted", .bool, in: channel, .omeroTexts) }
    expect("window", in: channel, .omeroWindow)
    guard optional("window", .object, in: channel, .omeroWindowNumbers) != nil,
      let window = channel["window"]
    else { return }
    for key in ["min", "max", "start", "end"] {
      if version >= .v0_9 && ["min", "max"].contains(key) {
        optional(key, .finite, in: window, .omeroWindowNumbers)
      } else {
        required(key, .finite, in: window, .omeroWindowNumbers)
      }
    }
  }
}
