/** Configuration files with some of their profiles. */
class Config {
    Scope root = new Scope()

    /** The files of `more` come last, as those of the option `-c` do. */
    Config(File file, List<File> more, Map params, List<String> names, Map known) {
        root.myGiven = params
        root.myValues.putAll(known)
        root.myRun(Source.body(file))
        for (name in names) {
            if (!root.myProfiles.containsKey(name)) throw new IllegalArgumentException("no profile `$name`")
            root.myRun(root.myProfiles[name])
        }
        more.each { root.myRun(Source.body(it)) }
    }

    Map params() { root.myValues.params?.myValues ?: [:] }

    /** The settings of a process: those for all, then those that its label or name selects. */
    Map of(List<String> names, List<String> labels) {
        def process = root.myValues.process?.myValues ?: [:]
        def plain = process.findAll { !(it.value instanceof Scope) || it.key == 'ext' }
        def chosen = process.findAll { key, value ->
            value instanceof Scope && (key in labels || names.any { name -> name ==~ key })
        }
        ([plain] + chosen.values()*.myValues).inject([ext: [:]]) { settings, more ->
            settings + more + [ext: settings.ext + (more.ext?.myValues ?: [:])]
        }
    }
}
