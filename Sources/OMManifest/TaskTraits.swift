/// Our own block of a manifest, `omtask`: what Fractal has no words for.
public struct TaskTraits: Sendable, Equatable {
  /// How the task is called.
  public enum Contract: String, Sendable, CaseIterable {
    /// A Swift kernel that is built into the program.
    case kernel
    /// A program that is given regions, one after the other.
    case region
    /// A program that is given the place of an image, and reads and writes it by itself.
    case image
  }

  /// How a result compares with the reference library (`E`, `I`, `T` or `H`).
  public enum Exactness: String, Sendable, CaseIterable {
    /// Equal to the reference bit for bit, however the work was split.
    case equal = "E"
    /// The same however the work was split; differs from the reference only as stated.
    case invariant = "I"
    /// The same however the work was split; equal to the reference within a tolerance.
    case tolerance = "T"
    /// Depends on the halo.
    case halo = "H"
  }

  /// One pass over the voxels.
  public struct Pass: Sendable, Equatable {
    /// What the pass does.
    public let name: String
    /// What each region yields: `tiles`, or the kind of partial that is merged.
    public let yields: String
    /// How partials are merged: `replicated`, `by key`, `by region`; nil for tiles.
    public let merge: String?
  }

  /// One thing that the task makes of each image.
  public struct Output: Sendable, Equatable {
    /// The name in this manifest.
    public let name: String
    /// What it is, such as `label`.
    public let kind: String
    /// The data types it can have; none for a table of partials, whose columns have types.
    public let dataTypes: [String]
    /// How a table is made of what a program answers for each region; nil for all else.
    public let partials: PartialTraits?
  }

  /// Parameters that help and forms show together.
  public struct Group: Sendable, Equatable {
    /// The heading.
    public let title: String
    /// The names of the parameters.
    public let parameters: [String]
  }

  /// One call worth showing.
  public struct Example: Sendable, Equatable {
    /// What it does.
    public let text: String
    /// The command line.
    public let command: String
  }

  /// What the task does, in half a sentence.
  public let summary: String
  /// How the task is called.
  public let contract: Contract
  /// Raised only when the same call may give other voxels than before.
  public let resultVersion: Int
  /// How a result compares with the reference library; nil for the contract `image`, of whose
  /// results nothing is known.
  public let exactness: Exactness?
  /// The passes in their order.
  public let passes: [Pass]
  /// What is made of each image.
  public let outputs: [Output]
  /// The data types of images that can be read.
  public let dataTypes: [String]
  /// The axes that an image must have.
  public let requiredAxes: [String]
  /// The axes that an image may have besides.
  public let optionalAxes: [String]
  /// The parameters under headings, in the order of help.
  public let groups: [Group]
  /// The unit of each parameter that has one.
  public let units: [String: String]
  /// The parameters that steer the run but not the voxels of the result.
  public let runOnly: [String]
  /// Calls worth showing.
  public let examples: [Example]
  /// How a program that is given regions is started; nil for the other contracts.
  public let program: ProgramTraits?
  /// How a program that is given images is started; nil for the other contracts.
  public let imageProgram: ImageProgramTraits?
}
