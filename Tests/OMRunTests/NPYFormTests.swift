import OMGrid
import Testing

@testable import OMRun

@Suite struct NPYFormTests {
  /// The start of a file as NumPy writes it.
  private func start(version: UInt8, header: String) -> [UInt8] {
    let length = UInt32(header.utf8.count)
    let width = version == 1 ? 2 : 4
    return [0x93] + Array("NUMPY".utf8) + [version, 0]
      + (0..<width).map { UInt8(truncatingIfNeeded: length >> (8 * UInt32($0))) }
      + Array(header.utf8)
  }

  private let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n"

  @Test(arguments: [1, 2, 3] as [UInt8])
  func `a file says its shape and type`(version: UInt8) throws {
    let bytes = start(version: version, header: header)
    let form = try #require(NPYForm(bytes))
    #expect(form.shape == [3, 4] && form.dataType == .float32 && form.start == bytes.count)
    #expect(NPYForm.missingStart(of: bytes) == nil)
  }

  @Test(arguments: [1, 2] as [UInt8])
  func `a file that ends in its header says how much is missing`(version: UInt8) {
    let bytes = start(version: version, header: header)
    let prefix = version == 1 ? 10 : 12
    for count in 0..<bytes.count {
      let part = Array(bytes[..<count])
      // Before the version is read, it is taken for the first.
      let least = count <= 6 ? 10 : prefix
      #expect(NPYForm.missingStart(of: part) == (count < prefix ? least : bytes.count))
      #expect(NPYForm(part) == nil)
    }
  }

  @Test func `what begins otherwise is something else`() {
    for bytes in [Array("NUMPY".utf8), [0x93, 1], Array(repeating: 0, count: 200)] {
      #expect(NPYForm.missingStart(of: bytes) == nil)
      #expect(NPYForm(bytes) == nil)
    }
  }
}
