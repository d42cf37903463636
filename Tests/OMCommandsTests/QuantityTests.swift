import Testing

@testable import OMCommands

@Suite struct QuantityTests {
  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1.0 MiB"),
    (1_288_490_188, "1.2 GiB"), (200 << 20, "200 MiB"), (5 << 40, "5.0 TiB"),
  ])
  func `bytes are shown in the largest unit`(bytes: Int, text: String) {
    #expect(byteText(bytes) == text)
  }

  @Test(arguments: [(0.0, "00:00:00"), (190.4, "00:03:10"), (3599.6, "01:00:00"), (-1, "00:00:00")])
  func `a time left is shown as on a clock`(seconds: Double, text: String) {
    #expect(clockText(seconds) == text)
  }

  @Test func `an endless time left is a clock at its end`() {
    #expect(clockText(.infinity) == "99:59:59")
  }

  @Test(arguments: [
    (0.344, "0.34 s"), (12.34, "12.3 s"), (59.96, "1 min 0 s"), (125, "2 min 5 s"),
    (11520, "3 h 12 min"), (.infinity, "277777777 h 46 min"),
  ])
  func `a duration is shown with two units at most`(seconds: Double, text: String) {
    #expect(durationText(seconds) == text)
  }

  @Test(arguments: [
    (1.25, 1, "1.3"), (-0.04, 1, "0.0"), (0.07, 2, "0.07"), (99.999, 2, "100.00"), (7, 0, "7"),
  ])
  func `numbers have a fixed count of digits`(value: Double, digits: Int, text: String) {
    #expect(fixed(value, digits) == text)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234"),
  ])
  func `digits stand in groups of three`(value: Int, text: String) {
    #expect(grouped(value) == text)
  }

  @Test(arguments: [(1, "1 object"), (0, "0 objects"), (2000, "2,000 objects")])
  func `a noun follows its count`(count: Int, text: String) {
    #expect(counted(count, "object") == text)
  }
}

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("8G", 8 << 30), ("512M", 512 << 20), ("1.5GiB", 3 << 29), ("64k", 65536),
    ("2000000", 2_000_000),
    ("1MB", 1_000_000), ("2T", 2 << 40), ("1b", 1),
  ])
  func `sizes are read`(text: String, bytes: Int) {
    #expect(ByteCount(text: text)?.bytes == bytes)
  }

  @Test(arguments: [
    "", "G", "8Q", "-1G", "0", "1e3", "1.2.3", "8 G", "8Gi", "99999999999T", "0x10",
  ])
  func `what is no size is refused`(text: String) {
    #expect(ByteCount(text: text) == nil)
  }
}

@Suite struct WallClockTests {
  @Test func `times have the forms that machines and Fractal read`() {
    #expect(WallClock.iso().wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    #expect(WallClock.local().wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}/) != nil)
  }
}
