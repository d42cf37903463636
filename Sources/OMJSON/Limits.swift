import Synchronization

/// How much foreign data may ask for; each limit has a name for `--limit NAME=VALUE`.
///
/// One set of limits holds for the whole process. `use` puts it in force, once, before any thread
/// starts and before anything is read; everything else only looks.
public struct Limits: Sendable, Equatable {
  /// The limits by the names that `--limit` takes.
  public enum Name: String, Sendable, CaseIterable {
    case metadata, axes, chunk, files
    case jsonDepth = "json-depth"
    case encodedChunk = "encoded-chunk"
    case shardIndex = "shard-index"
    case zstdWindow = "zstd-window"
    case zipEntries = "zip-entries"
    case deflatedEntry = "deflated-entry"
    case remoteConnect = "remote-connect"
    case remoteIdle = "remote-idle"
    case remoteTries = "remote-tries"
    case remoteTime = "remote-time"
    case remoteRedirects = "remote-redirects"
  }

  /// The bytes of one metadata document.
  public var metadata = 16 << 20
  /// How deep JSON may be nested.
  public var jsonDepth = 64
  /// The dimensions of an array.
  public var axes = 32
  /// The bytes of a decoded chunk or inner chunk.
  public var chunk = 1 << 31
  /// The bytes of a stored chunk over its decoded ones; 64 KiB come on top.
  public var encodedChunk = 1.1
  /// The bytes of the index of a shard.
  public var shardIndex = 1 << 28
  /// The bytes that a zstd frame may look back.
  public var zstdWindow = 1 << 27
  /// The files that a run may write.
  public var files = 10_000_000
  /// The entries of a zip archive.
  public var zipEntries = 10_000_000
  /// The bytes of a deflated entry of a zip archive of which only a part is wanted.
  public var deflatedEntry = 1 << 28
  /// The seconds that connecting to a server may take.
  public var remoteConnect = 10
  /// The seconds that a server may be silent.
  public var remoteIdle = 60
  /// How often a server is asked for one thing.
  public var remoteTries = 8
  /// The seconds after which a server is not asked again.
  public var remoteTime = 300
  /// How often a server may send us elsewhere for one thing.
  public var remoteRedirects = 5

  /// The default limits.
  public init() {}

  /// A class, because optimised builds of Swift 6.3 make a global mutex of a struct all zeros.
  private final class Box: Sendable {
    let limits = Mutex(Limits())
  }
  private static let inForce = Box()

  /// The limits of this process.
  public static var current: Limits { inForce.limits.withLock { $0 } }

  /// Puts limits in force for the whole process.
  public static func use(_ limits: Limits) { inForce.limits.withLock { $0 = limits } }

  /// What to do when a limit is hit.
  public static func hint(_ name: Name) -> String {
    "`--limit \(name.rawValue)=VALUE` allows more"
  }
}
