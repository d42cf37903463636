import OMImage
import OMTask
import Testing

@testable import OMRun

@Suite struct DownsamplingMetadataTests {
  @Test func `metadata name every method and say in a sentence what it does`() {
    let documents = Downsampling.allCases.map(\.description)
    #expect(documents.map(\.method) == Downsampling.allCases.map(\.rawValue))
    #expect(Set(documents.map(\.description)).count == documents.count)
    for document in documents { #expect(document.description.contains("window")) }
  }
}
