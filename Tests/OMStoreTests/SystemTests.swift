import CSys
import Glibc
import OMJSON
import Testing

@testable import OMStore

@Suite struct ErrnoTests {
  @Test(
    arguments: [
      (ENOSPC, .io), (EDQUOT, .io), (EIO, .io), (EMFILE, .io), (ESTALE, .io),
      (EACCES, .permission), (EPERM, .permission), (EROFS, .permission),
      (EEXIST, .exists), (ELOOP, .path), (ENOENT, .missing),
    ] as [(Int32, FaultKind)])
  func `each reason of the kernel has its kind`(code: Int32, kind: FaultKind) {
    #expect(Errno(code: code).fault("a", "writing").kind == kind)
  }

  @Test func `a message says what, why and while doing what`() {
    let fault = Errno(code: ENOSPC).fault("0/c/1", "writing 8 bytes")
    #expect(fault.description == "0/c/1: no space left on device (ENOSPC) while writing 8 bytes")
    #expect(fault.hint == "free some space or inodes on this disk, or write to another one")
  }

  @Test func `too many open files names the limit`() throws {
    var limit = rlimit()
    #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    let hint = try #require(Errno(code: EMFILE).fault("a", "opening it").hint)
    #expect(hint.contains(" \(limit.rlim_cur) files"))
  }

  @Test func `a full disk is told with the room that is left`() throws {
    let folder = TemporaryFolder()
    let fault = try folder.output().fault(Errno(code: ENOSPC), "a", "writing")
    #expect(fault.facts.count == 1)
    #expect(fault.facts.first?.hasPrefix("free here: ") == true)
  }

  @Test(arguments: 0...9)
  func `after a short write exactly the rest is left`(count: Int) {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    bytes.withUnsafeBytes { all in
      let buffers = [all[0..<4], all[4..<5], all[5..<9]].map(UnsafeRawBufferPointer.init(rebasing:))
      let rest = buffers[...].afterFirstBytes(count)
      #expect(rest.flatMap(Array.init) == Array(bytes[count...]))
      #expect(!rest.contains { $0.isEmpty })
    }
  }

  @Test func `an interrupted call is made again`() throws {
    var calls = 0
    let result = try system { () -> Int32 in
      calls += 1
      errno = EINTR
      return calls < 3 ? -1 : 7
    }
    #expect(result == 7)
    #expect(calls == 3)
  }
}

@Suite struct CRC32CTests {
  @Test func `the check value of the standard comes out both ways`() {
    let bytes = Array("123456789".utf8)
    #expect(om_crc32c(0, bytes, bytes.count) == 0xE306_9283)
    #expect(om_crc32c_portable(0, bytes, bytes.count) == 0xE306_9283)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 1001])
  func `hardware and table agree, in one piece and in two`(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
    let whole = om_crc32c_portable(0, bytes, count)
    #expect(om_crc32c(0, bytes, count) == whole)
    let first = om_crc32c(0, bytes, count / 3)
    #expect(om_crc32c(first, Array(bytes[(count / 3)...]), count - count / 3) == whole)
  }
}

@Suite struct MachineTests {
  @Test func `the CPUs this process may use are counted`() {
    #expect((1...Int32(sysconf(Int32(_SC_NPROCESSORS_CONF)))).contains(om_affinity_count()))
  }
}
