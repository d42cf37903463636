/// A new task in Python, but for its manifest.
enum PythonTemplate {
  /// The program, the helper, and a test.
  static func files(_ module: String) -> [NewTask.File] {
    [
      NewTask.File(name: "\(module).py", text: program),
      NewTask.File(name: "omtask_region.py", text: pythonHelper),
      NewTask.File(name: "test_\(module).py", text: test(module)),
    ]
  }

  private static let program = """
    \"""The largest of the voxels around each voxel, in the plane.\"""

    import numpy
    from omtask_region import serve


    def compute(tile, region):
        \"""Gets a box of voxels with a halo around it; what is returned for the halo is dropped.\"""
        radius = region.parameters["radius"]
        for axis in (tile.ndim - 2, tile.ndim - 1):
            count = tile.shape[axis]
            sides = [(radius, radius) if each == axis else (0, 0) for each in range(tile.ndim)]
            wide = numpy.pad(tile, sides, mode="edge")
            shifted = [numpy.take(wide, range(s, s + count), axis) for s in range(2 * radius + 1)]
            tile = numpy.max(shifted, axis=0)
        return tile


    if __name__ == "__main__":
        serve(compute)

    """

  private static func test(_ module: String) -> String {
    """
    \"""Calls the function as omtask does: the pieces of an image must give what the whole gives.\"""

    from types import SimpleNamespace

    import numpy
    from \(module) import compute


    def test_pieces_equal_the_whole():
        image = numpy.random.default_rng(1).integers(0, 1000, size=(3, 50, 61)).astype(numpy.uint16)
        for radius in (0, 1, 4):
            region = SimpleNamespace(parameters={"radius": radius})
            whole = compute(image, region)
            assert whole.shape == image.shape and whole.dtype == image.dtype
            for size in (7, 16, 33):
                for start in range(0, image.shape[2], size):
                    end = min(start + size, image.shape[2])
                    low, high = max(0, start - radius), min(image.shape[2], end + radius)
                    made = compute(image[:, :, low:high], region)[:, :, start - low:end - low]
                    assert numpy.array_equal(made, whole[:, :, start:end]), (radius, size, start)


    if __name__ == "__main__":
        test_pieces_equal_the_whole()
        print("the pieces equal the whole")

    """
  }
}
