/// What RFC-9 wants otherwise of an archive and readers can live with.
package struct ZipRemark: Sendable {
  /// What it is about.
  package enum Subject: Sendable, CaseIterable {
    case name, comment, order, compression, start, extraFields, duplicates
  }

  package let subject: Subject
  /// What is so, in one sentence without a final stop.
  package let text: String
}
