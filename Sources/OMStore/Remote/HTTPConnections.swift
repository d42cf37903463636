import CCurl
import Glibc
import OMJSON
import Synchronization

/// The connections of this process to servers: one for each request under way, and some idle.
final class HTTPConnections: Sendable {
  /// All of this process, because servers count connections by machine.
  static let shared = HTTPConnections()

  /// A handle of libcurl, which one thread uses at a time.
  private struct Handle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }
  private let idle = Mutex<[Handle]>([])
  private let underWay = Atomic<Int>(0)

  /// How an exchange ended.
  struct Ending {
    /// One of `om_http_done` and its neighbours.
    let outcome: Int
    /// What libcurl says about a failure.
    let text: String
  }

  /// Makes a request and hands the answer to an exchange.
  ///
  /// - Throws: A fault of kind `unsupported` when libcurl is not there.
  func perform(
    _ request: HTTPRequest, headers: [String], reaching reachable: Int, _ exchange: HTTPExchange
  ) throws(Fault) -> Ending {
    underWay.add(1, ordering: .acquiring)
    defer { underWay.subtract(1, ordering: .releasing) }
    let handle = try take()
    defer { give(handle) }
    let lines = (request.headers + headers).map { Array($0.utf8CString) }
    let url = Array(request.url.requested.utf8CString)
    var text = [CChar](repeating: 0, count: 256)
    var status = 0
    let limits = Limits.current
    let method = request.changes ? Array(request.method.rawValue.utf8CString) : []
    let payload = request.payload ?? []
    let outcome = withPointers(lines) { pointers in
      withBytes(url, method, payload) { url, method, payload in
        var call = om_http_request()
        call.url = url.baseAddress
        if request.changes { call.method = method.baseAddress }
        if request.payload != nil {
          // An empty one is sent, too; its address is never looked at.
          call.payload = payload.baseAddress ?? UnsafeRawPointer(url.baseAddress)
          call.payload_count = payload.count
        }
        call.headers = pointers
        call.head_only = request.isHead ? 1 : 0
        call.connect_milliseconds = 1000 * limits.remoteConnect
        call.idle_seconds = limits.remoteIdle
        call.reachable = Int32(reachable)
        call.context = Unmanaged.passUnretained(exchange).toOpaque()
        call.head = { context, line, count in
          HTTPExchange.of(context).takeHead(UnsafeRawBufferPointer(start: line, count: count))
        }
        call.body = { context, bytes, count in
          HTTPExchange.of(context).takeBody(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        return om_http_perform(handle.pointer, &call, &status, &text, text.count)
      }
    }
    let end = text.firstIndex(of: 0) ?? text.endIndex
    let said = String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)
    let line = said.filter { !$0.isNewline && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
    return Ending(outcome: Int(outcome), text: line)
  }

  private func take() throws(Fault) -> Handle {
    if let handle = idle.withLock({ $0.popLast() }) { return handle }
    try Self.load()
    guard let pointer = om_http_new() else {
      throw Fault(.io, "", "there is no memory for one more connection")
    }
    return Handle(pointer: pointer)
  }

  /// Keeps a handle with its connection for the next request, or closes it where enough are kept.
  private func give(_ handle: Handle) {
    let isKept = idle.withLock { (handles) -> Bool in
      if handles.count >= Self.mostIdle { return false }
      handles.append(handle)
      return true
    }
    if !isKept { om_http_free(handle.pointer) }
  }

  /// Connections that are kept while nobody needs them, of three descriptors each.
  ///
  /// Those of some workers, which would otherwise be made anew for every batch of chunks.
  private static let mostIdle = 32

  /// Breaks off what is under way, and waits until it has ended.
  func end() {
    om_http_end()
    // A request hears of it within a second; one that looks up a name may not.
    for _ in 0..<Self.longestEnd where underWay.load(ordering: .acquiring) > 0 { usleep(1000) }
  }

  /// Milliseconds that the end of a request may take.
  private static let longestEnd = 2000

  /// Loads libcurl, which only remote stores need.
  static func load() throws(Fault) {
    var reason: UnsafePointer<CChar>?
    if om_http_load(&reason) == 0 { return }
    throw Fault(lacking: "libcurl", reason, for: "remote stores", package: "libcurl4")
  }
}

/// Calls `body` with the memory of three arrays.
private func withBytes<Result>(
  _ url: [CChar], _ method: [CChar], _ payload: [UInt8],
  _ body: (
    UnsafeBufferPointer<CChar>, UnsafeBufferPointer<CChar>, UnsafeRawBufferPointer
  ) -> Result
) -> Result {
  url.withUnsafeBufferPointer { url in
    method.withUnsafeBufferPointer { method in
      payload.withUnsafeBytes { body(url, method, $0) }
    }
  }
}

/// Calls `body` with pointers to C strings, the last one nil.
private func withPointers<Result>(
  _ lines: [[CChar]], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  let bytes = lines.flatMap { $0 }
  return bytes.withUnsafeBufferPointer { buffer in
    var pointers: [UnsafePointer<CChar>?] = []
    var start = 0
    for line in lines {
      pointers.append(buffer.baseAddress.map { $0 + start })
      start += line.count
    }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { pointers in
      guard let first = pointers.baseAddress else { preconditionFailure("there is the last one") }
      return body(first)
    }
  }
}

/// What comes back for one request, used by the thread that makes it.
final class HTTPExchange {
  /// The head of the answer.
  private(set) var answer = HTTPAnswer()
  /// The body of an answer that is no success, as far as it matters.
  private(set) var refusal: [UInt8] = []
  private let body: HTTPBody?

  /// Bytes of refusals that are looked at.
  private static let longestRefusal = 64 << 10
  private static let longestHead = 256 << 10
  private var headBytes = 0
  /// Whether the whole head was read.
  private(set) var hasHead = false

  private let isDone: @Sendable (Int) -> Bool

  /// Makes an exchange whose body, in case of success, goes to a taker.
  init(_ request: HTTPRequest, _ body: HTTPBody?) {
    self.body = body
    isDone = { request.isDone($0) }
  }

  fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> HTTPExchange {
    guard let context else { preconditionFailure("a request has its exchange") }
    return Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
  }

  private var isSuccess: Bool { isDone(answer.status) }

  fileprivate func takeHead(_ line: UnsafeRawBufferPointer) -> Int32 {
    headBytes += line.count
    if headBytes > Self.longestHead { return 1 }
    let isBlank = line.allSatisfy { $0 == 0x0D || $0 == 0x0A }
    if !isBlank {
      answer.take(line)
      return 0
    }
    hasHead = answer.status >= 200
    if isSuccess, let body { return body.begin(answer) ? 0 : 1 }
    return 0
  }

  fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    if isSuccess, let body { return body.take(bytes, status: answer.status) ? 0 : 1 }
    refusal += bytes.prefix(Self.longestRefusal - refusal.count)
    return refusal.count < Self.longestRefusal ? 0 : 1
  }
}
