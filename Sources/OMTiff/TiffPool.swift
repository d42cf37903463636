import OMJSON
import Synchronization

/// Open files and buffers that wait for the next one who needs them.
final class TiffPool: Sendable {
  /// What one thread uses at a time.
  private struct Idle: @unchecked Sendable {
    let file: ObjectIdentifier
    let handle: TiffHandle
  }
  private struct Room: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
  }
  private struct State {
    var handles: [Idle] = []
    var rooms: [Room] = []
  }

  /// Files that stay open though nobody reads them.
  private static let mostIdle = 8

  private let state = Mutex(State())

  deinit {
    state.withLock { state in
      for room in state.rooms { room.bytes.deallocate() }
    }
  }

  /// Does something with an open file that no other thread uses meanwhile.
  func with<Result>(
    _ file: TiffFile, _ work: (TiffHandle) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let identity = ObjectIdentifier(file)
    let known = state.withLock { state -> Idle? in
      guard let place = state.handles.lastIndex(where: { $0.file == identity }) else { return nil }
      return state.handles.remove(at: place)
    }
    let idle: Idle
    if let known { idle = known } else { idle = Idle(file: identity, handle: try TiffHandle(file)) }
    let result = try work(idle.handle)
    // The handle of a call that failed is closed: what libtiff keeps of it is not known.
    state.withLock { state in
      state.handles.append(idle)
      if state.handles.count > Self.mostIdle { state.handles.removeFirst() }
    }
    return result
  }

  /// Does something with room for some bytes.
  func withRoom<Result>(
    _ count: Int, _ work: (UnsafeMutableRawBufferPointer) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    var room = state.withLock { $0.rooms.popLast() }
    if let small = room, small.bytes.count < count {
      small.bytes.deallocate()
      room = nil
    }
    let taken = room ?? Room(bytes: .allocate(byteCount: max(1, count), alignment: 64))
    defer { state.withLock { $0.rooms.append(taken) } }
    return try work(UnsafeMutableRawBufferPointer(rebasing: taken.bytes[..<count]))
  }
}
