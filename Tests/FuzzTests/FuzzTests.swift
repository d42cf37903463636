import FuzzTargets
import Testing

/// What `make fuzz` does for hours, in seconds: `scripts/fuzz` finds, these tests keep.
@Suite struct FuzzTests {
  private static let names = FuzzTarget.all.map(\.name)

  /// Finds no input that breaks a promise.
  private func expectPromise(_ target: FuzzTarget, _ input: [UInt8], _ origin: String) {
    let broken = input.withUnsafeBytes { target.broken(by: $0) }
    #expect(broken == nil, "\(target.name), \(origin): \(broken ?? "")")
  }

  @Test func `every target has seeds`() throws {
    #expect(Set(try StoredInputs.folders()).isSuperset(of: Self.names))
  }

  @Test(arguments: names)
  func `no promise is broken by a stored input`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for (path, bytes) in try StoredInputs.inputs(of: name) {
      expectPromise(target, bytes, path)
      expectPromise(target, Array(bytes.dropLast()), "\(path) without its last byte")
    }
    expectPromise(target, [], "no bytes")
  }

  @Test(arguments: names)
  func `no promise is broken by a spoiled input`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let inputs = try StoredInputs.inputs(of: name)
    var mutator = Mutator(seed: 20_250_601)
    for round in 0..<3000 {
      let (path, bytes) = inputs[round % inputs.count]
      let other = inputs[(round * 7 + 3) % inputs.count].bytes
      expectPromise(target, mutator.spoiled(bytes, by: other), "round \(round) of \(path)")
    }
  }
}
