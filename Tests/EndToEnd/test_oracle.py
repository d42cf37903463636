"""Labels and masks are bit-equal to scikit-image on the whole array, for any image and option."""

from pathlib import Path

import numpy as np
import pytest

from omtask_testing import samples
from omtask_testing.cases import Case, generated_cases
from omtask_testing.checks import assert_labels
from omtask_testing.images import write_image
from omtask_testing.oracle import Expected, NoThreshold, expected_labels
from omtask_testing.program import Outcome, Program
from omtask_testing.reading import listed_labels
from omtask_testing.trees import tree


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = generated_cases(metafunc.config.getoption("--seed"))
        metafunc.parametrize("case", cases, ids=str)


def expected(case: Case, levels: list[np.ndarray], outcome: Outcome | None = None) -> list[Expected]:
    """What must be on disk; where only a tolerance is promised, given the thresholds used."""
    ought = expected_labels(levels, case.axes, case.parameters, case.channels)
    if outcome is None or not has_tolerance(case):
        return ought
    used = {label.name: outcome.report.thresholds(label.name) for label in ought}
    for label in ought:
        # one of the 65536 bins for `li`; the order of summation for `mean`
        tolerance = float(np.ptp(levels[0])) / 65536 * case.parameters.get("correction", 1)
        assert used[label.name] == pytest.approx(label.thresholds, abs=tolerance)
    return expected_labels(levels, case.axes, case.parameters, case.channels, used)


def has_tolerance(case: Case) -> bool:
    is_float = np.dtype(case.dtype).kind == "f"
    return is_float and case.parameters.get("method") in ("li", "mean")


def run(omtask: Program, case: Case, image: Path, expect: int = 0) -> Outcome:
    return omtask.threshold(
        image, parameters=case.parameters, threads=case.threads,
        arguments_file=case.arguments_file, expect=expect,
    )


@pytest.mark.sweep(3)
def test_equals_scikit_image(case: Case, omtask: Program, tmp_path: Path) -> None:
    source = case.image()
    image = write_image(tmp_path / "image.zarr", source)
    try:
        expected(case, source.levels)
    except NoThreshold:
        before = tree(image)
        run(omtask, case, image, expect=1)
        assert tree(image) == before
        return
    outcome = run(omtask, case, image)
    ought = expected(case, source.levels, outcome)
    assert sorted(listed_labels(image)) == sorted(label.name for label in ought)
    assert_labels(image, case.axes, ought, case.parameters.get("level", 0))
    for label in ought:
        if case.parameters.get("objects", True):
            assert outcome.report.objects(label.name) == label.objects
        if case.parameters.get("method", "fixed") != "fixed" and not has_tolerance(case):
            assert outcome.report.thresholds(label.name) == label.thresholds


def test_there_are_at_least_300_cases(request: pytest.FixtureRequest) -> None:
    assert len(generated_cases(request.config.getoption("--seed"))) >= 300


@pytest.mark.parametrize("layout", samples.BOTH, ids=str)
@pytest.mark.parametrize("selection", ["z=3:9", "t=1:3,z=2:11", "t=0", "y=5:40,x=17:33"])
def test_only_selected_voxels_count(
    selection: str, layout: samples.Layout, omtask: Program, tmp_path: Path, rng: np.random.Generator
) -> None:
    axes, shape = "tzyx", (3, 12, 41, 45)
    source = samples.blobs_image(layout, rng, axes, shape, levels=1)
    image = write_image(tmp_path / "image.zarr", source)
    omtask.threshold(image, parameters={"method": "otsu", "label_name": "some"},
                     extra=["--select", selection])
    box = selected_box(selection, axes)
    (inner,) = expected_labels([source.levels[0][box]], axes, {"label_name": "some"})
    whole = np.zeros(shape, np.uint32)
    whole[box] = inner.levels[0]
    assert_labels(image, axes, [Expected("some", [whole], inner.thresholds, inner.objects)])


def selected_box(selection: str, axes: str) -> tuple[slice, ...]:
    ranges = dict(part.split("=") for part in selection.split(","))

    def one(text: str | None) -> slice:
        if text is None:
            return slice(None)
        low, _, high = text.partition(":")
        return slice(int(low), int(high or int(low) + 1))

    return tuple(one(ranges.get(axis)) for axis in axes)
