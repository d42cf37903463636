import Glibc
package import OMJSON
import Synchronization

/// A new file that is written at any place by any thread, under a name that nobody looks at yet.
package final class PlacedFile: Sendable {
  /// Its whole path.
  package let path: String
  private let file: Mutex<Int32?>
  private let number: Int32

  init(path: String, file: consuming Descriptor) {
    self.path = path
    number = file.release()
    self.file = Mutex(number)
  }

  deinit { if let number = file.withLock({ $0 }) { _ = Glibc.close(number) } }

  /// Writes bytes at a place, however many calls that takes.
  package func write(_ bytes: UnsafeRawBufferPointer, at place: Int) throws(Fault) {
    var done = 0
    do throws(Errno) {
      while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let step = try system {
          pwrite(number, rest.baseAddress, rest.count, off_t(place + done))
        }
        // A disk that takes nothing and names no reason would otherwise keep us here for ever.
        if step == 0 { throw Errno(code: EIO) }
        done += step
      }
    } catch { throw fault(error, "writing \(bytes.count) bytes") }
  }

  /// Closes it; nothing may be written any more.
  ///
  /// - Parameter durable: Whether to wait until all bytes are on the disk.
  /// - Throws: Kind `io` when the disk could not take all of it.
  package func close(durable: Bool) throws(Fault) {
    let taken = file.withLock { number in
      defer { number = nil }
      return number
    }
    guard let taken else { return }
    let file = Descriptor(taken)
    do {
      if durable { try file.sync() }
      try file.close()
    } catch { throw fault(error, "closing it") }
  }

  private func fault(_ reason: Errno, _ action: String) -> Fault {
    guard let folder = path.lastIndex(of: "/"),
      let open = try? Descriptor(
        below: AT_FDCWD, String(path[...folder]), O_RDONLY | O_DIRECTORY)
    else { return reason.fault(path, action) }
    return open.fault(reason, path, action)
  }
}

extension OutputFolder {
  /// Makes a new file directly in this folder; one that was left under this name is removed.
  package func place(_ name: String) throws(Fault) -> PlacedFile {
    do {
      return PlacedFile(path: path(of: name), file: try createNew(name))
    } catch { throw fault(error, name, "making it") }
  }
}
