import CMPI

/// What a library of MPI is, found without starting MPI.
package struct MPILibrary: Sendable, Equatable {
  /// Its make; nil when it cannot be used.
  package let make: MPIMake?
  /// The file that was loaded; empty when none was.
  package let file: String
  /// What it says of its version; why it cannot be used, when it cannot.
  package let text: String

  /// Looks at a library in a process of its own, which may crash or hang without harm.
  ///
  /// - Parameters:
  ///   - make: Whose library is looked for.
  ///   - library: The file of the library; nil takes a usual one.
  /// - Precondition: No other thread loads libraries meanwhile.
  package init(_ make: MPIMake, library: String? = nil) {
    var facts = om_mpi_facts()
    let isUsable = om_mpi_look(make.code, library, 3000, &facts) == 0
    let isOpenMPI = facts.abi == Int32(om_mpi_abi_open_mpi)
    self.make = isUsable ? (isOpenMPI ? .openMPI : .mpich) : nil
    file = withUnsafeBytes(of: &facts.file) { textOf($0) }
    text = withUnsafeBytes(of: &facts.text) { textOf($0) }
  }

  /// A library with these facts.
  package init(make: MPIMake?, file: String, text: String) {
    (self.make, self.file, self.text) = (make, file, text)
  }

  /// Make and version, such as `Open MPI v4.1.4`: what comes before the first comma or line break.
  package var name: String {
    let first = text.split { $0.isNewline || $0 == "," }.first.map(String.init) ?? ""
    // MPICH puts a tab between words.
    return first.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

/// The text before the first zero byte.
private func textOf(_ bytes: UnsafeRawBufferPointer) -> String {
  String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}
