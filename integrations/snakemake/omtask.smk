"""Rules of omtask, to be included in a workflow of one's own; docs/snakemake.md tells how.

They take what `omtask` says in the config file (config.schema.yaml lists all of it) and define a
rule for each task that stands there:

    omtask_threshold      a label image; omtask_threshold_mpi makes it for large images, with ranks
    omtask_measure        the table of its objects
    omtask_gaussian_blur  a new image beside the image
    omtask_pyramid        levels of the image itself, made in place before all else

Each leaves RESULTS/IMAGE/TASK.json, which is there when the task is done, and a log beside it.
`omtask_results()` is the list of these files.

    $OMTASK         the program, where `omtask` is not on the PATH

What may go away is tried again; tries.sh says how often.
"""

import json
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

validate(config, "config.schema.yaml")
omtask = config["omtask"]
if omtask_unknown := sorted(set(omtask["large"]) - set(omtask["images"])):
    raise WorkflowError(f"omtask: `large` names {omtask_unknown}, which is not in `images`")


def omtask_image(image):
    """The path of an image of the config file."""
    return f"{omtask['folder']}/{image}"


def omtask_result(task, image="{image}"):
    """The file that tells that a task of an image is done."""
    return f"{omtask['results']}/{image}/{task}.json"


def omtask_results():
    """All that the tasks of the config file leave."""
    return [omtask_result(task, image) for image in omtask["images"] for task in omtask["tasks"]]


def omtask_metadata(wildcards):
    """The document of an image that says what it is; never its folder, which tasks write into."""
    image = Path(omtask_image(wildcards.image))
    return str(image / (".zattrs" if (image / ".zattrs").exists() else "zarr.json"))


# What must be there before a task: what made the levels of the image, or the image. `ancient`,
# because every table and label may touch the document; it would hide a job, so that has none.
omtask_before = (
    omtask_result("pyramid") if "pyramid" in omtask["tasks"] else ancient(omtask_metadata)
)


def omtask_arguments(task, **more):
    """The function that gives the arguments of a task as JSON.

    All of them are in `params`, so that the task is done again when one of them changes, and
    then the older result is replaced.
    """
    given = {"overwrite": True, **more, **(omtask["tasks"][task] or {})}
    if task == "pyramid":
        del given["overwrite"]
    return lambda wildcards: json.dumps({"zarr_url": omtask_image(wildcards.image), **given})


# Arguments go through standard input, so that no word of them meets the shell. A sixth of the memory
# is left to the program itself.
omtask_tries = workflow.source_path("tries.sh")
omtask_words = (
    "run {params.task} --args-json - --out-json {output.result:q} --threads {threads} --memory "
)
omtask_threads = (
    "bash {omtask_tries:q} {log:q} {params.args:q} \"${{OMTASK:-omtask}}\" "
    + omtask_words
    + "$(({resources.mem_mb} * 5 / 6))M"
)
omtask_ranks = (
    "SRUN_CPUS_PER_TASK={threads} bash {omtask_tries:q} {log:q} {params.args:q} "
    "{resources.mpi} -n {resources.tasks} \"${{OMTASK:-omtask}}\" "
    + omtask_words
    + "$(({resources.mem_mb_per_cpu} * {threads} * 5 / 6))M"
)


# `update` keeps what is there until omtask replaces it as a whole, and after a failure.


if "threshold" in omtask["tasks"]:

    omtask_label = omtask["tasks"]["threshold"]["label_name"]

    ruleorder: omtask_threshold_mpi > omtask_threshold

    rule omtask_threshold:
        input:
            omtask_before,
        output:
            label=update(directory(f"{omtask['folder']}/{{image}}/labels/{omtask_label}")),
            result=omtask_result("threshold"),
        log:
            f"{omtask['results']}/{{image}}/threshold.log",
        params:
            task="threshold",
            args=omtask_arguments("threshold"),
        threads: omtask["threads"]
        resources:
            mem_mb=omtask["memory_mb"],
            runtime=lambda wildcards, attempt: omtask["minutes"] * attempt,
        shell:
            omtask_threads

    # The same with ranks. `tasks` ranks have `threads` threads each.
    rule omtask_threshold_mpi:
        input:
            omtask_before,
        output:
            label=update(directory(f"{omtask['folder']}/{{image}}/labels/{omtask_label}")),
            result=omtask_result("threshold"),
        log:
            f"{omtask['results']}/{{image}}/threshold.log",
        wildcard_constraints:
            image="|".join(map(re.escape, omtask["large"])) or "(?!)",
        params:
            task="threshold",
            args=omtask_arguments("threshold"),
        threads: omtask["threads"]
        resources:
            mpi=omtask["mpi"],
            tasks=omtask["ranks"],
            mem_mb_per_cpu=omtask["memory_mb"] // omtask["threads"],
            runtime=lambda wildcards, attempt: omtask["minutes"] * attempt,
        shell:
            omtask_ranks


if "measure" in omtask["tasks"]:

    omtask_measured = {"label": omtask_label, **(omtask["tasks"]["measure"] or {})}
    omtask_table = omtask_measured.get("table_name", f"{omtask_measured['label']}_features")

    rule omtask_measure:
        input:
            omtask_result("threshold"),
        output:
            table=update(directory(f"{omtask['folder']}/{{image}}/tables/{omtask_table}")),
            result=omtask_result("measure"),
        log:
            f"{omtask['results']}/{{image}}/measure.log",
        params:
            task="measure",
            args=omtask_arguments("measure", label=omtask_label),
        threads: omtask["threads"]
        resources:
            mem_mb=omtask["memory_mb"],
            runtime=lambda wildcards, attempt: omtask["minutes"] * attempt,
        shell:
            omtask_threads


# A new image is no output: Snakemake would remove it, with all that others put into it, before
# the rule runs again. Its place is in the result file.
if "gaussian-blur" in omtask["tasks"]:

    rule omtask_gaussian_blur:
        input:
            omtask_before,
        output:
            result=omtask_result("gaussian-blur"),
        log:
            f"{omtask['results']}/{{image}}/gaussian-blur.log",
        params:
            task="gaussian-blur",
            args=omtask_arguments("gaussian-blur"),
        threads: omtask["threads"]
        resources:
            mem_mb=omtask["memory_mb"],
            runtime=lambda wildcards, attempt: omtask["minutes"] * attempt,
        shell:
            omtask_threads


# What is changed in place is no output either; what follows takes the result file as input.
if "pyramid" in omtask["tasks"]:

    rule omtask_pyramid:
        input:
            ancient(omtask_metadata),
        output:
            result=omtask_result("pyramid"),
        log:
            f"{omtask['results']}/{{image}}/pyramid.log",
        params:
            task="pyramid",
            args=omtask_arguments("pyramid"),
        threads: omtask["threads"]
        resources:
            mem_mb=omtask["memory_mb"],
            runtime=lambda wildcards, attempt: omtask["minutes"] * attempt,
        shell:
            omtask_threads
