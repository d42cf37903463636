// Objects by a threshold, then a table of them: two steps on one image, one after the other.
include { OMTASK_RUN as OMTASK_THRESHOLD } from '../../../modules/omtask/run/main'
include { OMTASK_RUN as OMTASK_MEASURE } from '../../../modules/omtask/run/main'

workflow OMTASK_THRESHOLD_MEASURE {
    take:
    images // channel: [ val(meta), val(zarr_url) ]
    threshold // map: parameters of `threshold`, with `label_name`
    measure // map: parameters of `measure`; `label` is that of the threshold

    main:
    if (!threshold.label_name) {
        error("OMTASK_THRESHOLD_MEASURE: the parameters of `threshold` name no `label_name`, which `measure` needs")
    }
    OMTASK_THRESHOLD(images, 'threshold', threshold)
    // The measurement waits for the result of the threshold on the same image.
    labelled = OMTASK_THRESHOLD.out.result.map { meta, zarr_url, _result -> [meta, zarr_url] }
    OMTASK_MEASURE(labelled, 'measure', [label: threshold.label_name] + measure)

    emit:
    result = OMTASK_MEASURE.out.result // channel: [ val(meta), val(zarr_url), path(json) ]
    events = OMTASK_THRESHOLD.out.events.mix(OMTASK_MEASURE.out.events) // channel: [ val(meta), path(jsonl) ]
}
