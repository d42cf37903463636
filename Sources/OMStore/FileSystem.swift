import CSys
import Glibc

/// The file system that a folder lies on.
package struct FileSystem: Sendable, Equatable {
  /// Who sees what is in it.
  package enum Reach: Sendable {
    /// Other machines too, and each caches what it has seen.
    case shared
    /// This machine only.
    case machine
    /// This machine, until it is switched off.
    case memory
    /// The container that this process runs in.
    case container
    case unknown
  }

  /// The name as `mount` shows it: `ext4`, `nfs4`, `lustre`, `fuse.sshfs`.
  package let name: String
  /// Bytes that this user may still write.
  package let freeBytes: Int
  /// Files that may still be made; nil where the file system does not count them.
  package let freeFiles: Int?
  /// Whether it is mounted for reading only.
  package let isReadOnly: Bool

  /// Looks at the file system of something that exists.
  ///
  /// - Returns: Nil when the kernel does not say.
  package init?(of path: String) {
    var room = statvfs()
    let number = om_file_system_magic(path)
    guard number >= 0, statvfs(path, &room) == 0 else { return nil }
    let magic = UInt32(truncatingIfNeeded: number)
    name = Self.mounted(path) ?? Self.names[magic] ?? "0x" + String(magic, radix: 16)
    let (bytes, isTooLarge) = Int(clamping: room.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: room.f_frsize))
    freeBytes = isTooLarge ? .max : bytes
    freeFiles = room.f_files == 0 ? nil : Int(clamping: room.f_favail)
    isReadOnly = room.f_flag & UInt(ST_RDONLY) != 0
  }

  /// A file system with these facts.
  package init(name: String, freeBytes: Int, freeFiles: Int?, isReadOnly: Bool = false) {
    (self.name, self.freeBytes, self.freeFiles) = (name, freeBytes, freeFiles)
    self.isReadOnly = isReadOnly
  }

  /// Who sees what is in it.
  package var reach: Reach {
    switch name {
    case "nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "smb2", "afs", "pvfs2",
      "orangefs", "panfs", "ocfs2", "gfs2", "wekafs", "9p", "virtiofs", "fuse.sshfs",
      "fuse.glusterfs", "fuse.juicefs", "fuse.ceph", "fuse.moosefs":
      .shared
    case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "exfat", "ntfs", "ntfs3",
      "fuseblk", "bcachefs", "jfs", "hfsplus", "squashfs", "iso9660", "erofs":
      .machine
    case "tmpfs", "ramfs": .memory
    case "overlay", "overlayfs", "aufs", "fuse.fuse-overlayfs": .container
    default: .unknown
    }
  }

  /// The type of the mount that a path lies in, which tells more than the magic number: all kinds of FUSE
  /// share one, ext2 to ext4 too.
  private static func mounted(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return mountType(of: String(cString: resolved), in: wholeText(of: "/proc/self/mountinfo"))
  }

  /// The type of the mount that a path lies in, by the lines of `mountinfo`; later ones lie on top.
  static func mountType(of path: String, in table: String) -> String? {
    var best: (length: Int, type: String)?
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      // proc(5): the fifth field is the place, behind a lone dash come type, source and options.
      guard fields.count > 6, let dash = fields.dropFirst(6).firstIndex(of: "-"),
        dash + 1 < fields.count
      else { continue }
      let place = unescaped(fields[4])
      let isAbove = place == "/" || path == place || path.hasPrefix(place + "/")
      if isAbove && place.utf8.count >= best?.length ?? 0 {
        best = (place.utf8.count, String(fields[dash + 1]))
      }
    }
    return best?.type
  }

  /// A place in `mountinfo`, where blanks and the like are written as `\040`.
  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(3), as: UTF8.self)
      if byte == UInt8(ascii: "\\"), rest.count >= 3, let value = UInt8(digits, radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Names by the magic number of statfs(2), for where no mount is listed.
  private static let names: [UInt32: String] = [
    0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x2FC1_2FC1: "zfs",
    0xF2F5_2010: "f2fs", 0x4D44: "vfat", 0x2011_BAB0: "exfat", 0x0102_1994: "tmpfs",
    0x8584_58F6: "ramfs", 0x794C_7630: "overlay", 0x6573_5546: "fuse", 0x6969: "nfs",
    0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs", 0x1983_0326: "beegfs", 0x00C3_6400: "ceph",
    0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x0102_1997: "9p", 0x5346_414F: "afs",
    0x2003_0528: "pvfs2", 0xAAD7_AAEA: "panfs", 0x7461_636F: "ocfs2", 0x0116_1970: "gfs2",
    0x7371_7368: "squashfs", 0x6A65_6A63: "virtiofs",
  ]
}

/// All of a file of the kernel, whose size nobody knows before; empty when it cannot be read.
private func wholeText(of path: String) -> String {
  var bytes: [UInt8] = []
  do {
    let file = try Descriptor(below: AT_FDCWD, path, O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try system { read(file.number, &buffer, buffer.count) }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
  } catch { return "" }
  return String(decoding: bytes, as: UTF8.self)
}
