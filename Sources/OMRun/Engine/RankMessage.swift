import OMJSON

/// What ranks tell each other beside the work itself; small enough to be sent without waiting.
enum RankMessage: Sendable, Equatable {
  /// The rank lives.
  case sign(SignOfLife)
  /// The run is to be stopped.
  case stop(StopSwitch.Reason)
  /// A rank failed in its work before this meeting of all ranks, so the rest of it is of no use.
  case failedMeeting(Int)

  /// The longest text in a message, in bytes.
  private static let longestText = 300

  /// The message as bytes, at most a kilobyte.
  var bytes: [UInt8] {
    var packet = Packet()
    switch self {
    case .sign(let sign):
      packet.write(UInt8(0))
      packet.write([sign.finished, sign.image, sign.done, sign.bytes])
      packet.write(sign.secondsInHand)
      packet.write(cut(sign.host))
      packet.write(cut(sign.piece))
    case .stop(let reason):
      packet.write(UInt8(1))
      packet.write(reason.number)
      packet.write(Int64(reason.value))
      packet.write(cut(reason.text))
    case .failedMeeting(let number):
      packet.write(UInt8(2))
      packet.write(number)
    }
    return packet.bytes
  }

  /// Reads what `bytes` made.
  ///
  /// - Throws: A fault of kind `internal` when it is none.
  init(_ bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    switch try reader.read(UInt8.self) {
    case 0:
      let numbers = try reader.readArray(Int.self)
      guard numbers.count == 4 else { throw RankMessage.unreadable }
      var sign = SignOfLife()
      (sign.finished, sign.image, sign.done, sign.bytes) =
        (numbers[0], numbers[1], numbers[2], numbers[3])
      sign.secondsInHand = try reader.read(Double.self)
      sign.host = String(decoding: try reader.readBytes(), as: UTF8.self)
      sign.piece = String(decoding: try reader.readBytes(), as: UTF8.self)
      self = .sign(sign)
    case 1:
      let (number, value) = (try reader.read(UInt8.self), try reader.read(Int64.self))
      let text = String(decoding: try reader.readBytes(), as: UTF8.self)
      guard let reason = StopSwitch.Reason(number: number, value: Int(value), text: text) else {
        throw RankMessage.unreadable
      }
      self = .stop(reason)
    case 2: self = .failedMeeting(try reader.read(Int.self))
    default: throw RankMessage.unreadable
    }
  }

  private func cut(_ text: String) -> [UInt8] { Array(text.utf8.prefix(Self.longestText)) }

  private static var unreadable: Fault {
    Fault(.internal, "", "a rank sent a message that cannot be read")
  }
}

/// How a rank is getting on.
struct SignOfLife: Sendable, Equatable {
  /// Pieces finished so far, in all walks.
  var finished = 0
  /// The number of the image in hand.
  var image = 0
  /// Units of that image that are done.
  var done = 0
  /// Raw bytes processed so far.
  var bytes = 0
  /// For how long the oldest piece in hand has been in hand without any other being finished;
  /// less than 0 when the rank has nothing in hand.
  var secondsInHand = -1.0
  /// The name of the machine.
  var host = ""
  /// The piece in hand for longest; empty when there is none.
  var piece = ""
}

extension StopSwitch.Reason {
  fileprivate var number: UInt8 {
    switch self {
    case .notice: 0
    case .jobEnds: 1
    case .stalled: 2
    case .signal: 3
    }
  }

  fileprivate var value: Int {
    switch self {
    case .notice(let signal), .signal(let signal): Int(signal)
    case .jobEnds(let seconds): seconds
    case .stalled: 0
    }
  }

  fileprivate var text: String {
    if case .stalled(let sentence) = self { sentence } else { "" }
  }

  fileprivate init?(number: UInt8, value: Int, text: String) {
    switch number {
    case 0: self = .notice(signal: Int32(truncatingIfNeeded: value))
    case 1: self = .jobEnds(seconds: value)
    case 2: self = .stalled(text)
    case 3: self = .signal(Int32(truncatingIfNeeded: value))
    default: return nil
    }
  }
}
