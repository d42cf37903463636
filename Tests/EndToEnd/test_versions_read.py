"""What versions allow but tasks cannot use is shown, read and refused as unsupported."""

from pathlib import Path

import numpy as np
import pytest

from omtask_testing import versions
from omtask_testing.program import Program
from omtask_testing.versions import levels


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_each_channel_has_a_label_image(
    version: str, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    data = rng.integers(0, 1000, (1, 2, 2, 20, 20), np.uint16)
    image = versions.write(tmp_path / "image.zarr", version, "tczyx", [data])
    words = ("run", "threshold", image, "--threshold", "500", "--objects", "false")
    omtask(*words, "--channel", "1")
    omtask(*words, "--channel", "0")
    omtask(*words, "--channel", "all", "--overwrite")
    for channel in range(2):
        made = levels(image / f"labels/channel_{channel}_segmented")[0]
        if version < "0.3":
            assert not made[:, 1 - channel].any()
            made = made[:, channel]
        assert np.array_equal(made != 0, data[:, channel] > 500)
    single = versions.write(tmp_path / "single.zarr", version, "tczyx", [data[:, :1]])
    omtask(*words[:2], single, *words[3:])
    name = "segmented" if version < "0.3" else "channel_0_segmented"
    assert (single / "labels" / name).is_dir()
