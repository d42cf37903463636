/// Units as TIFF files write them, under the names of OME-Zarr.
enum LengthUnit {
  /// The name of a unit of length; nil for one that is no length, such as `pixel`.
  static func length(_ text: String) -> String? {
    switch text {
    case "µm", "μm", "um", "micron", "microns", "micrometer", "micrometre", "\\u00B5m": "micrometer"
    case "nm", "nanometer", "nanometre": "nanometer"
    case "mm", "millimeter", "millimetre": "millimeter"
    case "cm", "centimeter", "centimetre": "centimeter"
    case "m", "meter", "metre": "meter"
    case "pm", "picometer": "picometer"
    case "Å", "angstrom": "angstrom"
    case "in", "inch", "inches": "inch"
    case "ft": "foot"
    case "km": "kilometer"
    default: nil
    }
  }

  /// The name of a unit of time; nil for another one.
  static func time(_ text: String) -> String? {
    switch text {
    case "s", "sec", "second", "seconds": "second"
    case "ms", "msec": "millisecond"
    case "µs", "μs", "us": "microsecond"
    case "ns": "nanosecond"
    case "min", "minute": "minute"
    case "h", "hour": "hour"
    case "d", "day": "day"
    default: nil
    }
  }

  /// The power of ten of a metre that a unit of length is; nil for inches and the like.
  private static let powers = [
    "picometer": -12, "angstrom": -10, "nanometer": -9, "micrometer": -6, "millimeter": -3,
    "centimeter": -2, "meter": 0, "kilometer": 3,
  ]

  /// A length in another unit; nil where there is no way from one to the other.
  static func length(_ size: Double, in unit: String, as other: String) -> Double? {
    if unit == other { return size }
    guard let power = powers[unit], let wanted = powers[other] else { return nil }
    // Powers of ten are exact only upwards.
    let steps = abs(power - wanted)
    let factor = (0..<steps).reduce(1.0) { product, _ in product * 10 }
    return power > wanted ? size * factor : size / factor
  }
}
