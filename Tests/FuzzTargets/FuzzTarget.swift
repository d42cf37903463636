import OMJSON

/// A reader of foreign bytes, with the promises that hold whatever the bytes are.
///
/// The fuzzer (`Fuzz/`) and the ordinary tests (`Tests/FuzzTests`) call the same targets.
public struct FuzzTarget: Sendable {
  /// The name on the command line and of the folder with its inputs.
  public let name: String
  /// The kinds of faults with which it may refuse an input.
  private let refusals: Set<FaultKind>
  private let check: @Sendable (UnsafeRawBufferPointer) throws -> Void

  init(
    _ name: String, refusals: Set<FaultKind>,
    _ check: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
  ) {
    self.name = name
    self.refusals = refusals
    self.check = check
  }

  /// Reads one input.
  ///
  /// - Parameter input: Any bytes.
  /// - Returns: The promise that was broken, or nil when all were kept. A refusal keeps them.
  public func broken(by input: UnsafeRawBufferPointer) -> String? {
    do {
      try check(input)
      return nil
    } catch let fault as Fault {
      return problem(fault)
    } catch let promise as BrokenPromise {
      return promise.text
    } catch {
      return "the error is no fault: \(error)"
    }
  }

  /// What is wrong with a refusal itself.
  private func problem(_ fault: Fault) -> String? {
    if !refusals.contains(fault.kind) { return "a fault of kind \(fault.kind): \(fault)" }
    return fault.message.isEmpty ? "a fault of kind \(fault.kind) without a message" : nil
  }
}

extension FuzzTarget {
  /// All targets.
  public static let all: [FuzzTarget] =
    [
      json, arrayMetadata, omeMetadata, validate, shardIndex, chunk, manifest, table, zip, remote,
      tiff,
    ]
    + codecs
    + journals

  /// The target of this name.
  public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A promise that was not kept.
struct BrokenPromise: Error {
  let text: String
}

/// Breaks off with these words unless a promise was kept.
func promise(_ isKept: Bool, _ text: @autoclosure () -> String) throws {
  if !isKept { throw BrokenPromise(text: text()) }
}
