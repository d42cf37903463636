// One task of omtask on one image, plate or well, or on a list of them, in place.
//
// An image is a value, never a `path`: nothing of it is staged, hashed or copied, and its results appear beside its data.
process OMTASK_RUN {
    tag "${meta.id}"
    label 'process_medium'

    // What is done already omtask finds by itself, in milliseconds; and it makes again what somebody has removed.
    cache false

    conda "${moduleDir}/environment.yml"
    container 'omtask:0.1.0'

    input:
    tuple val(meta), val(zarr_url)
    val name
    val parameters

    output:
    tuple val(meta), val(zarr_url), path("*.result.json"), emit: result
    tuple val(meta), path("*.events.jsonl"), emit: events
    tuple val("${task.process}"), val('omtask'), eval('omtask --version'), topic: versions, emit: versions_omtask

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def quoted = { text -> "'" + "${text}".replace("'", "'\\''") + "'" }
    def base = quoted.call('./' + prefix.replace('/', '_'))
    def images = [zarr_url].flatten().collect { image -> "${image}" }
    def relative = images.find { image -> !image.startsWith('/') && !image.contains('://') }
    if (relative != null) {
        error("OMTASK_RUN: `${relative}` is neither an absolute path nor a URL, and a task runs in a folder of its own")
    }
    // Ranks share the memory of their node, which omtask knows from Slurm.
    def launcher = task.ext.launcher ?: ''
    def memory = task.memory && !launcher ? "--memory ${(task.memory.toMega() * 4).intdiv(5)}M" : ''
    """
    cat <<'END_OF_PARAMETERS' > parameters.json
    ${groovy.json.JsonOutput.toJson(parameters ?: [:])}
    END_OF_PARAMETERS
    printf '%s\\n' ${images.collect(quoted).join(' ')} > images.txt

    ${launcher} omtask run ${quoted.call(name)} \\
        --inputs images.txt \\
        --args-json parameters.json \\
        --out-json ${base}.result.json \\
        --events ${base}.events.jsonl \\
        --threads ${task.cpus} ${memory} ${args}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    def base = "'./" + prefix.replace('/', '_').replace("'", "'\\''") + "'"
    """
    echo '{"image_list_updates": []}' > ${base}.result.json
    touch ${base}.events.jsonl
    """
}
