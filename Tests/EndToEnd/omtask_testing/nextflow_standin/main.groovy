// A stand-in for Nextflow, which cannot be had from Debian: as much of it as integrations/nextflow uses.
//
// Files are parsed by Groovy (which Nextflow's language is a dialect of), processes are found in the syntax tree, and their
// sections are evaluated one by one with the names that Nextflow gives them. Scripts run as Nextflow runs them: without their
// indentation, by `bash -ue` or sbatch, in an empty folder. Channels are lists, and everything is done in order.
//
//   groovy -cp nextflow_standin nextflow_standin/main.groovy jobs.json answers.json
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.runtime.StackTraceUtils

Integer.metaClass.getGB = { -> new Memory(bytes: (delegate as long) << 30) }
Integer.metaClass.getMB = { -> new Memory(bytes: (delegate as long) << 20) }
Integer.metaClass.getH = { -> new Duration(hours: delegate) }

def config = { Map job ->
    new Config(
        new File(job.config), (job.more ?: []).collect { new File(it) }, job.params ?: [:], job.profiles ?: ['standard'],
        [launchDir: job.folder ?: '/launch', projectDir: new File(job.config).parent])
}
def engine = { Map job -> new Engine(config: config(job), folder: new File(job.folder), path: job.path, stub: job.stub ?: false) }

def parse = { Map job ->
    def errors = Source.errors(job.file, job.text ?: new File(job.file).getText('UTF-8'))
    def definitions = errors || !job.file.endsWith('.nf') ? [] : Source.read(new File(job.file)).definitions
    [errors: errors, definitions: definitions.collect { [kind: it.kind, name: it.name, sections: it.sections.keySet()] }]
}

/** What a process is given by the configuration, at each attempt, and what follows each exit code. */
def settings = { Map job ->
    def made = config(job)
    def given = { Map own -> Job.of(made.of([job.process], []), own, [params: made.params()]) }
    [
        tasks: job.attempts.collect { Engine.settings(given(attempt: it)) },
        strategies: (0..255).collectEntries { code -> [code, given(exitStatus: code).errorStrategy] },
        containers: ['docker', 'apptainer'].collectEntries { [it, made.root.myValues[it]?.myValues ?: [:]] },
    ]
}

def test = { Map job ->
    def running = engine(job)
    def test = new NfTest(file: new File(job.file), engine: running, variables: job.variables + [
        file: { new LocalPath("$it") }, error: running.around().error])
    test.here(Source.body(test.file))
    [done: test.done]
}

/** Calls a process with `inputs`, or the workflow of a file that has no name. */
def run = { Map job ->
    def running = engine(job)
    def result = [:]
    try {
        def definition = Engine.definition(Source.read(new File(job.file)), job.process ?: '')
        def inputs = (job.inputs ?: []).collect { it instanceof List ? new Values(items: it) : it }
        def out = running.callable(definition, definition.name, '').call(*inputs)
        result.out = out.collectEntries { name, values -> [name, values.items] }
    } catch (Failure failure) {
        result.error = failure.message
    }
    result + [runs: running.runs]
}

def plain
plain = { value ->
    if (value instanceof File || value instanceof GString) return value.toString()
    if (value instanceof Map) return value.collectEntries { key, item -> [key.toString(), plain(item)] }
    value instanceof Collection ? value.collect(plain) : value
}
def kinds = [parse: parse, settings: settings, test: test, run: run]
def answers = new JsonSlurper().parse(new File(args[0]), 'UTF-8').collect { job ->
    try {
        plain(kinds[job.kind](job))
    } catch (Throwable failed) {
        def text = new StringWriter()
        StackTraceUtils.deepSanitize(failed).printStackTrace(new PrintWriter(text))
        [failed: text.toString()]
    }
}
new File(args[1]).setText(JsonOutput.toJson(answers), 'UTF-8')
