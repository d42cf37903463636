// One task of omtask on one image, plate or well, into a new OME-Zarr; the input stays as it is.
//
// For pipelines whose steps change nothing: the image is a `path`, and Nextflow keeps the output and knows when it is out of date.
process OMTASK_NEW {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'omtask:0.1.0'

    input:
    tuple val(meta), path(image, stageAs: 'input/*')
    val name
    val parameters

    output:
    tuple val(meta), path("*.zarr", type: 'dir'), emit: image
    tuple val(meta), path("*.events.jsonl"), emit: events
    tuple val("${task.process}"), val('omtask'), eval('omtask --version'), topic: versions, emit: versions_omtask

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def quoted = { text -> "'" + "${text}".replace("'", "'\\''") + "'" }
    def base = quoted.call('./' + prefix.replace('/', '_'))
    // Ranks share the memory of their node, which omtask knows from Slurm.
    def launcher = task.ext.launcher ?: ''
    def memory = task.memory && !launcher ? "--memory ${(task.memory.toMega() * 4).intdiv(5)}M" : ''
    """
    cat <<'END_OF_PARAMETERS' > parameters.json
    ${groovy.json.JsonOutput.toJson(parameters ?: [:])}
    END_OF_PARAMETERS

    ${launcher} omtask run ${quoted.call(name)} \\
        --input ${quoted.call(image)} \\
        --output ${base}.zarr \\
        --args-json parameters.json \\
        --events ${base}.events.jsonl \\
        --threads ${task.cpus} ${memory} ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    def base = "'./" + prefix.replace('/', '_').replace("'", "'\\''") + "'"
    """
    mkdir ${base}.zarr
    touch ${base}.events.jsonl
    """
}
