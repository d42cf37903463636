// An example: objects and their measurements in every image.
//
//   nextflow run integrations/nextflow --input '/data/*.zarr'
//   nextflow run integrations/nextflow --input images.csv -profile slurm
include { OMTASK_THRESHOLD_MEASURE } from './subworkflows/omtask/threshold_measure/main'

workflow {
    if (!params.input) {
        error("--input is missing: a pattern such as '/data/*.zarr', or a CSV file with the columns id and zarr_url")
    }
    if (params.input.endsWith('.csv')) {
        images = channel.fromPath(params.input, checkIfExists: true)
            .splitCsv(header: true)
            .map { row -> [[id: row.id], row.zarr_url] }
    }
    else {
        images = channel.fromPath(params.input, type: 'any', checkIfExists: true)
            .map { path -> [[id: path.baseName], path.toString()] }
    }
    OMTASK_THRESHOLD_MEASURE(images, params.threshold, params.measure)

    channel.topic('versions')
        .unique()
        .map { process, tool, version -> "${process}:\n    ${tool}: ${version}" }
        .collectFile(name: 'versions.yml', storeDir: params.outdir, newLine: true, sort: true)
}
