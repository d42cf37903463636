/** What `channel` is. */
class ChannelFactory {
    Engine engine
    Values of(Object... items) { new Values(items: items as List) }
    Values topic(String name) { new Values(items: engine.topics[name]) }
    Values fromPath(Map options = [:], String pattern) {
        def (folder, glob) = [new File(pattern).parentFile, new File(pattern).name]
        def matcher = java.nio.file.FileSystems.default.getPathMatcher("glob:$glob")
        def found = folder.listFiles()?.findAll { matcher.matches(it.toPath().fileName) }?.sort() ?: []
        if (!found && options.checkIfExists) throw new Failure("No such file or directory: $pattern")
        new Values(items: found.collect { new LocalPath(it.path) })
    }
}
