import FuzzTargets
import Glibc

/// The target that the environment variable `FUZZ_TARGET` names.
private let target: FuzzTarget = {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  if let target = FuzzTarget.named(name) { return target }
  let known = FuzzTarget.all.map(\.name).joined(separator: ", ")
  fatalError("FUZZ_TARGET is `\(name)`, known are \(known)")
}()

/// What libFuzzer calls with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  if let promise = target.broken(by: UnsafeRawBufferPointer(start: bytes, count: count)) {
    fatalError("broken promise: \(promise)")
  }
  return 0
}
