import org.codehaus.groovy.runtime.InvokerHelper

/** Runs workflows and their processes, in order. */
class Engine {
    Config config
    File folder
    String path
    boolean stub
    Map<String, List> topics = [:].withDefault { [] }
    List<Map> runs = []

    Map around() { [params: config.params(), error: { text -> throw new Failure("$text") }] }

    private static final Map<String, Class> compiled = [:]

    static evaluate(String text, Map variables) { evaluate(text, new Names(variables)) }

    static evaluate(String text, Names names) {
        compiled[text] = compiled[text] ?: new GroovyClassLoader(Engine.classLoader).parseClass(text)
        InvokerHelper.createScript(compiled[text], names).run()
    }

    /** All that a file may call: what it includes, and what it defines. */
    Map<String, Callable> callables(Source source, String within) {
        def found = source.includes.collectEntries { include ->
            def file = new File(source.file.parentFile, include.path + '.nf')
            [include.alias, callable(definition(Source.read(file.canonicalFile), include.name), include.alias, within)]
        }
        found + source.definitions.findAll { it.name }.collectEntries { [it.name, callable(it, it.name, within)] }
    }

    static Definition definition(Source source, String name) {
        def found = source.definitions.find { it.name == name }
        if (!found) throw new Failure("${source.file} has no `$name`")
        found
    }

    Callable callable(Definition definition, String alias, String within) {
        def name = within ? "$within:$alias".toString() : alias
        new Callable({ List arguments ->
            definition.kind == 'process' ? process(definition, name, arguments) : workflow(definition, name, arguments)
        })
    }

    Map workflow(Definition definition, String name, List arguments) {
        def taken = (definition.sections.take ?: []).collect { it.replaceFirst('//.*', '').trim() }
        if (taken.size() != arguments.size()) {
            throw new Failure("Workflow `$name` declares ${taken.size()} input channels but ${arguments.size()} were given")
        }
        def given = around() + [channel: new ChannelFactory(engine: this)] + callables(Source.read(definition.file), name) +
            [taken, arguments].transpose().collectEntries()
        def names = new Names(given)
        evaluate((definition.sections.main ?: definition.sections['']).join('\n'), names)
        (definition.sections.emit ?: []).collectEntries { text ->
            def (emitted, expression) = text.replaceFirst('//.*', '').split('=', 2)*.trim()
            [emitted, evaluate(expression, names)]
        }
    }

    Map process(Definition definition, String name, List arguments) {
        def declared = { kind, options = [:], value -> [kind: kind, value: value, options: options] }
        def words = [
            val: declared.curry('val'), path: declared.curry('path'), eval: declared.curry('eval'),
            tuple: { Object... parts -> [
                kind: 'tuple', value: parts.findAll { it.kind }, options: parts.find { !it.kind } ?: [:]] },
        ]
        def inputs = definition.sections.input.collect { evaluate(it, words) }
        if (inputs.size() != arguments.size()) {
            throw new Failure("Process `$name` declares ${inputs.size()} inputs but ${arguments.size()} were given")
        }
        def queues = arguments.findAll { it instanceof Values }*.items
        def count = queues ? queues*.size().min() : 1
        def out = [:].withDefault { new Values(items: []) }
        for (int index = 0; index < count; index++) {
            def values = [:]
            [inputs, arguments].transpose().each { input, argument ->
                def item = argument instanceof Values ? argument.items[index] : argument
                def parts = input.kind == 'tuple' ? input.value : [input]
                if (input.kind == 'tuple' && item.size() != parts.size()) throw new Failure("$name: ${parts.size()} parts, not $item")
                [parts, input.kind == 'tuple' ? item : [item]].transpose().each { part, value ->
                    values[part.value] = part.kind == 'path' ? new Staged(file: new File("$value"), place: part.options.stageAs ?: '*') : value
                }
            }
            attempts(definition, name, values, words).each { emitted, item -> out[emitted] = new Values(items: out[emitted].items + [item]) }
        }
        out
    }

    /** Runs one task, again as long as its strategy says so. */
    Map attempts(Definition definition, String name, Map values, Map words) {
        def directives = [:].withDefault { [] }
        def own = ['tag', 'label', 'cache', 'conda', 'container'].collectEntries { key -> [key, { directives[key] << it }] }
        definition.sections[''].each { evaluate(it, around() + values + own + [moduleDir: definition.file.parent, task: [:]]) }
        for (attempt in 1..99) {
            def settings = config.of([definition.name, name], directives.label)
            def job = Job.of(settings, [process: name, attempt: attempt], around() + values)
            def run = task(definition, name, job, values, words)
            run.directives = directives
            run.strategy = run.code ? Job.of(settings, [attempt: attempt, exitStatus: run.code], around()).errorStrategy : null
            runs << run
            if (run.code == 0) return run.remove('emitted')
            if (run.strategy != 'retry' || attempt > (settings.maxRetries ?: 1)) {
                throw new Failure("Process `$name (${directives.tag[0]})` terminated with an error exit status (${run.code})")
            }
        }
    }

    Map task(Definition definition, String name, Job job, Map values, Map words) {
        def work = new File(folder, "work/${runs.size() + 1}")
        work.mkdirs()
        def staged = values.collectEntries { key, value -> [key, value instanceof Staged ? value.into(work) : value] }
        def variables = around() + staged + [task: job, moduleDir: definition.file.parent]
        def script = evaluate(definition.sections[stub ? 'stub' : 'script'].join('\n'), variables).toString()
        new File(work, '.command.sh').setText('#!/bin/bash -ue\n' + script.stripIndent().trim() + '\n', 'UTF-8')
        def run = [name: name, folder: work.path, task: settings(job), emitted: [:]]
        run.putAll(bash(work, launcher(run.task), '.command.sh'))
        if (run.code) return run
        definition.sections.output.each { text ->
            // The names of outputs are names, also where an input is called the same.
            def output = evaluate(text.replaceAll(/\b(emit|topic): *(\w+)/, "\$1: '\$2'"), variables + words)
            def parts = (output.kind == 'tuple' ? output.value : [output]).collect { part ->
                if (part.kind == 'val') return part.value instanceof GString ? "${part.value}".toString() : part.value
                if (part.kind == 'path') return matches(name, work, part.value)
                def answer = bash(work, ['/bin/bash', '-ue'], '-c', part.value)
                if (answer.code) throw new Failure("$name: `${part.value}` ends with ${answer.code}: ${answer.stderr}")
                answer.stdout.trim()
            }
            def item = output.kind == 'tuple' ? parts : parts[0]
            run.emitted[output.options.emit] = item
            if (output.options.topic) topics[output.options.topic] << item
        }
        publish(job, run.emitted)
        run
    }

    static Map settings(Job job) {
        ['attempt', 'executor', 'queue', 'cpus', 'memory', 'time', 'clusterOptions', 'container', 'array', 'maxRetries'].collectEntries { key ->
            def value = job[key]
            [key, value == null || value instanceof Number ? value : "$value".toString()]
        } + [launcher: "${job.ext.launcher ?: ''}".toString()]
    }

    static matches(String name, File work, String glob) {
        def matcher = java.nio.file.FileSystems.default.getPathMatcher("glob:$glob")
        def found = work.listFiles().findAll { !it.name.startsWith('.') && matcher.matches(it.toPath().fileName) }
        if (!found) throw new Failure("Missing output file(s) `$glob` expected by process `$name`")
        found.size() == 1 ? found[0] : found
    }

    void publish(Job job, Map emitted) {
        if (!job.publishDir) return
        def target = new File("${job.called(job.publishDir.path)}")
        target.mkdirs()
        def matcher = java.nio.file.FileSystems.default.getPathMatcher("glob:${job.publishDir.pattern}")
        emitted.values().flatten().findAll { it instanceof File && matcher.matches(it.toPath().fileName) }.each {
            java.nio.file.Files.copy(it.toPath(), new File(target, it.name).toPath(), java.nio.file.StandardCopyOption.REPLACE_EXISTING)
        }
    }

    /** What a script is given to: bash, or sbatch with the words that Nextflow writes into the head of its scripts. */
    static List<String> launcher(Map task) {
        if (task.executor == 'local') return ['/bin/bash', '-ue']
        assert task.executor == 'slurm'
        def words = ['sbatch', '--wait', '--quiet', '--no-requeue', '--output=.command.out', '--error=.command.err']
        if (task.cpus > 1) words << "-c$task.cpus"
        if (task.memory) words << "--mem=${task.memory.tokenize(' ')[0]}M"
        if (task.queue) words << "-p$task.queue"
        words*.toString() + (task.clusterOptions ?: '').tokenize(' ')
    }

    Map bash(File work, List<String> launcher, String... words) {
        def builder = new ProcessBuilder([*launcher, *words]).directory(work)
        builder.environment().PATH = path
        def (out, err) = ['out', 'err'].collect { new File(work, ".command.$it") }
        if (launcher[0] == 'sbatch') builder.inheritIO() else builder.redirectOutput(out).redirectError(err)
        def process = builder.redirectInput(new File('/dev/null')).start()
        def code = process.waitFor()
        [code: code, stdout: out.exists() ? out.getText('UTF-8') : '', stderr: err.exists() ? err.getText('UTF-8') : '']
    }
}
