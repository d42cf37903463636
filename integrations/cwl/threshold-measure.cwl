#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: Workflow
label: Objects by a threshold, then a table of them, in one OME-Zarr image, in place

requirements:
  InplaceUpdateRequirement:
    inplaceUpdate: true
  LoadListingRequirement:
    loadListing: no_listing

inputs:
  image:
    type: Directory
  threshold:
    type: Any
    default: {label_name: nuclei}
    doc: Parameters of `threshold`
  measure:
    type: Any
    default: {label: nuclei}
    doc: Parameters of `measure`; `label` is the `label_name` of the threshold
  threads:
    type: int
    default: 1

steps:
  threshold:
    run: omtask-step.cwl
    in:
      image: image
      task:
        default: threshold
      parameters: threshold
      threads: threads
    out: [changed]
  measure:
    run: omtask-step.cwl
    in:
      image: threshold/changed
      task:
        default: measure
      parameters: measure
      threads: threads
    out: [result]

outputs:
  result:
    type: File?
    outputSource: measure/result
