import Testing

@testable import OMExternal

@Suite struct DevicesTests {
  @Test func `workers take turns over the cards that are given`() {
    let devices = Devices(["CUDA_VISIBLE_DEVICES": "4,7"])
    #expect((0..<4).map(devices.device) == ["4", "7", "4", "7"])
  }

  @Test func `ranks of one machine begin with different cards`() {
    let variables = ["CUDA_VISIBLE_DEVICES": "0,1,2", "OMPI_COMM_WORLD_LOCAL_RANK": "2"]
    #expect(Devices(variables).device(of: 0) == "2")
    #expect(Devices(["CUDA_VISIBLE_DEVICES": ""]).device(of: 0) == nil)
  }
}
