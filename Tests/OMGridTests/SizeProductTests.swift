import Testing

@testable import OMGrid

@Suite struct SizeProductTests {
  @Test func `sizes are multiplied`() {
    #expect(product(of: []) == 1)
    #expect(product(of: [3, 4, 5]) == 60)
    #expect(product(of: [1 << 31, 1 << 31]) == 1 << 62)
  }

  @Test func `a product beyond the limit or beyond Int is none`() {
    #expect(product(of: [3, 4], atMost: 12) == 12)
    #expect(product(of: [3, 4], atMost: 11) == nil)
    #expect(product(of: [1 << 32, 1 << 32]) == nil)
    // What overflows comes out small when bits are cut off.
    #expect(product(of: [1 << 32, 1 << 32, 2], atMost: 100) == nil)
  }

  @Test func `an empty shape has no voxels whatever its other sizes are`() {
    #expect(product(of: [1 << 40, 1 << 40, 0]) == 0)
    #expect(product(of: [0, 1 << 40], atMost: 5) == 0)
  }
}
