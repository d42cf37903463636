import OMGrid
import OMJSON
import OMObjects
import Testing

@testable import OMRun

@Suite struct PacketTests {
  @Test func `what is written is read in the same order`() throws {
    var packet = Packet()
    packet.write(UInt8(7))
    packet.write([1.5, -0.0, .infinity])
    packet.write(true)
    packet.write([UInt64]())
    packet.write(Vector3(1, -2, .max))
    packet.write([UInt8](0...255))
    packet.write([Int.min, -1])
    var reader = PacketReader(packet.bytes)
    #expect(try reader.read(UInt8.self) == 7)
    #expect(try reader.readArray(Double.self) == [1.5, -0.0, .infinity])
    #expect(try reader.read(Bool.self))
    #expect(try reader.readArray(UInt64.self).isEmpty)
    #expect(try reader.read(Vector3.self) == Vector3(1, -2, .max))
    #expect(!reader.isAtEnd)
    #expect(try reader.readBytes() == [UInt8](0...255))
    #expect(try reader.readArray(Int.self) == [Int.min, -1])
    #expect(reader.isAtEnd)
  }

  @Test func `a group comes back as it was`() throws {
    let block = Block(
      volume: 3, position: Vector3(0, 1, 2), origin: Vector3(0, 4, 8), shape: Vector3(1, 4, 4))
    let rows = BitRows()
    rows.clear(rows: 4, length: 4)
    rows.fill(row: 1, from: 0, to: 4)
    rows.fill(row: 3, from: 2, to: 4)
    let grid = BlockGrid(
      volumes: 4, volumeShape: Vector3(1, 12, 12), gridShape: Vector3(1, 3, 3),
      border: BlockGrid.Border(
        low: Vector3(0, 0, 0), high: Vector3(1, 12, 12), hasDepth: false))
    let labelled = BlockLabeller().label(rows, block: block, in: grid, order: 1, findsBorder: true)
    let group = labelled.opening(in: grid).group
    #expect(group.components.count == 2)
    var packet = Packet()
    group.write(to: &packet)
    OpenGroup(surfaces: [], components: []).write(to: &packet)
    var reader = PacketReader(packet.bytes)
    #expect(try OpenGroup(&reader) == group)
    #expect(try OpenGroup(&reader) == OpenGroup(surfaces: [], components: []))
    #expect(reader.isAtEnd)
  }

  @Test func `a message that ends early is refused at every byte`() throws {
    var packet = Packet()
    packet.write([UInt16(1), 2, 3])
    packet.write(UInt32(9))
    for count in 0..<packet.bytes.count {
      let fault = expectFault {
        var reader = PacketReader(Array(packet.bytes.prefix(count)))
        _ = try reader.readArray(UInt16.self)
        _ = try reader.read(UInt32.self)
      }
      #expect(fault?.kind == .internal)
    }
  }

  @Test func `a count beyond all memory is refused`() {
    var packet = Packet()
    packet.write(UInt64(Int.max))
    let fault = expectFault {
      var reader = PacketReader(packet.bytes)
      _ = try reader.readArray(UInt64.self)
    }
    #expect(fault?.kind == .internal)
  }
}
