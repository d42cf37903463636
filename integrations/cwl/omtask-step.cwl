#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
label: One task of omtask on one OME-Zarr image, plate or well, in place
doc: |
  As omtask-run.cwl, for steps of workflows: the changed image is an output too, so that the next step on it waits.
  Do not make it an output of the workflow: the whole image would be copied.

requirements:
  InplaceUpdateRequirement:
    inplaceUpdate: true
  InitialWorkDirRequirement:
    listing:
      - entry: $(inputs.image)
        writable: true
      - entryname: parameters.json
        entry: $(inputs.parameters)
  LoadListingRequirement:
    loadListing: no_listing
  ResourceRequirement:
    coresMin: $(inputs.threads)
  # What is done already omtask finds by itself, and it makes again what somebody has removed.
  WorkReuse:
    enableReuse: false

inputs:
  image:
    type: Directory
    doc: The image, plate or well, on a disk that can be written
  task:
    type: string
    doc: Name of a task; `omtask tasks` lists them
  parameters:
    type: Any
    default: {}
    doc: Parameters of the task by their names; `omtask tasks show TASK`
  threads:
    type: int
    default: 1
  memory:
    type: string?
    doc: Most memory, such as `8G`; half of the job's or the machine's if not given
    inputBinding:
      prefix: --memory
      position: 1

# The image is a link in the folder of the job; the result names the image itself.
baseCommand:
  - sh
  - -c
  - 'task=$1 image=$(realpath "$2"); shift 2; exec omtask run "$task" --input "$image" "$@"'
  - omtask
arguments:
  - $(inputs.task)
  - $(inputs.image.basename)
  - prefix: --args-json
    valueFrom: parameters.json
  - prefix: --out-json
    valueFrom: result.json
  - prefix: --threads
    valueFrom: $(runtime.cores)

# A server that does not answer, the disk, stopped in order, ended by a signal: the same call goes on from there.
temporaryFailCodes: [69, 74, 75, 129, 130, 143]

outputs:
  changed:
    type: Directory
    doc: The image of the input, for the next step on it
    outputBinding:
      glob: $(inputs.image.basename)
      loadListing: no_listing
  result:
    type: File?
    doc: The images that the task changed or made; written only after success, so that a failure is told by its code
    outputBinding:
      glob: result.json
