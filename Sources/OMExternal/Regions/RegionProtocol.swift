import OMGrid
import OMJSON
import OMTask

/// The lines between omtask and a program that is given regions, version 1.
///
/// docs/external-tasks.md describes them for authors; numbers and names here are the same.
enum RegionProtocol {
  /// The version of the protocol.
  static let version = 1
  /// Where the child finds the voxels it is given, and where it puts those it makes.
  static let inputPath = "/dev/fd/3"
  static let outputPath = "/dev/fd/4"

  /// The first line: what is to be done.
  static func hello(
    task: String, resultVersion: Int, parameters: JSONObject, worker: Int
  ) -> JSON {
    [
      "omtask": JSON(version), "task": .string(task), "result_version": JSON(resultVersion),
      "parameters": .object(parameters), "worker": JSON(worker),
    ]
  }

  /// Whether a line answers the first line.
  static func answersHello(_ line: JSON) -> Bool { line["omtask"]?.intValue == version }

  /// The line before the first region of an image; it is not answered.
  static func image(_ image: ImageInfo, channel: Int, level: Int) -> JSON {
    let channels: [JSON]? = image.channels.map { channels in
      channels.map { $0.label.map { JSON.string($0) } ?? .null }
    }
    return [
      "image": [
        "name": .string(image.name), "axes": .array(image.axes.map { .string($0) }),
        "shape": .array(image.levelShapes[level].map { JSON($0) }),
        "scale": .array(image.levelScales[level].map { JSON($0) }),
        "units": .array(image.units.map { $0.map { JSON.string($0) } ?? .null }),
        "dtype": .string(image.dataType.rawValue),
        "channels": channels.map { JSON.array($0) } ?? .null,
        "channel": JSON(channel), "level": JSON(level),
      ]
    ]
  }

  /// One region to compute.
  struct Request {
    var number: Int
    var axes: [String]
    var inputType: DataType
    var inputShape: [Int]
    /// The first voxel of the input within the volume.
    var inputOrigin: [Int]
    /// What is to be made of it.
    var wanted: Wanted
    /// The box of the output, or that the answer is about.
    var outputShape: [Int]
    /// Its first voxel within the input.
    var offset: [Int]
    var volume: [Int]

    /// What a program makes of a region.
    enum Wanted {
      /// Voxels of this type.
      case voxels(DataType)
      /// Values of columns; of a time series with the time point.
      case partial(time: Int?)
    }

    /// The line.
    var line: JSON {
      let list = { (numbers: [Int]) in JSON.array(numbers.map { JSON($0) }) }
      var line: JSONObject = [
        "region": JSON(number), "axes": .array(axes.map { .string($0) }),
        "input": [
          "path": .string(inputPath), "dtype": .string(inputType.rawValue),
          "shape": list(inputShape), "origin": list(inputOrigin),
        ],
      ]
      switch wanted {
      case .voxels(let type):
        line["output"] = [
          "path": .string(outputPath), "dtype": .string(type.rawValue),
          "shape": list(outputShape), "offset": list(offset),
        ]
        line["volume"] = list(volume)
      case .partial(let time):
        line["core"] = ["shape": list(outputShape), "offset": list(offset)]
        line["volume"] = list(volume)
        line["time"] = time.map { JSON($0) } ?? .null
      }
      return .object(line)
    }

    /// Whether a line answers this one.
    func isAnswered(_ line: JSON) -> Bool { line["region"]?.intValue == number }

    /// Checks what an answer says of the voxels that were made.
    ///
    /// - Throws: A fault of kind `program` when they are not those that were asked for.
    func check(_ answer: JSON, of type: DataType, _ program: String) throws(Fault) {
      let shape = answer["shape"]?.arrayValue?.map { $0.intValue ?? -1 }
      if shape != outputShape {
        throw other("shape", answer, "\(outputShape)", program)
      }
      if answer["dtype"]?.stringValue != type.rawValue {
        throw other("dtype", answer, type.rawValue, program)
      }
    }

    /// The fault for voxels that are not those that were asked for, by a key of the answer.
    private func other(_ key: String, _ answer: JSON, _ asked: String, _ program: String) -> Fault {
      let said = answer[key].map { "says that `\(key)` is \($0.text())" } ?? "does not say `\(key)`"
      return Fault(
        .program, "", "the answer of `\(program)` \(said), asked for were voxels of \(asked)",
        hint: "an answer says what it made: `region`, `shape` and `dtype`")
    }
  }
}
