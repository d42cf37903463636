/// The records of a zip archive and their fixed lengths (PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5);
/// all numbers are little-endian.
enum ZipFormat {
  /// In front of the bytes of each entry.
  enum Local {
    static let signature = 0x0403_4B50
    static let byteCount = 30
  }

  /// About one entry, in the central directory.
  enum Central {
    static let signature = 0x0201_4B50
    static let byteCount = 46
  }

  /// At the end of the archive; behind it there is only the comment.
  enum End {
    static let signature = 0x0605_4B50
    static let byteCount = 22
  }

  /// The same with 64-bit numbers, in front of its locator.
  enum End64 {
    static let signature = 0x0606_4B50
    static let byteCount = 56
  }

  /// Where the 64-bit record is; right in front of the end record.
  enum Locator {
    static let signature = 0x0706_4B50
    static let byteCount = 20
  }

  /// What a field holds whose number is in the ZIP64 extra field.
  static let wide16 = 0xFFFF
  static let wide32 = 0xFFFF_FFFF

  /// Extra field: numbers of 64 bits.
  static let zip64 = 0x0001
  /// The extra fields that RFC-9 knows: ZIP64, times, and owner.
  static let knownExtras: Set<Int> = [zip64, 0x5455, 0x7875]

  /// The flag of names in UTF-8.
  static let utf8Flag = 1 << 11
  /// The flags of encrypted entries and of an encrypted directory.
  static let encryptionFlags = 1 << 0 | 1 << 6 | 1 << 13
}

extension [UInt8] {
  /// The number of 16 bits at a place.
  func zip16(_ place: Int) -> Int { Int(self[place]) | Int(self[place + 1]) << 8 }

  /// The number of 32 bits at a place.
  func zip32(_ place: Int) -> Int { zip16(place) | zip16(place + 2) << 16 }

  /// The number of 64 bits at a place; nil when no file is that large.
  func zip64(_ place: Int) -> Int? {
    self[place + 7] < 0x80 ? zip32(place) | zip32(place + 4) << 32 : nil
  }

  /// Adds a number of this many bytes.
  mutating func append(zip value: Int, bytes: Int) {
    for byte in 0..<bytes { append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
  }
}
