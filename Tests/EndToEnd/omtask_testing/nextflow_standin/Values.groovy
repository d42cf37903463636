/** A channel: a list, of which everything is there already. */
class Values {
    List items
    Values map(Closure body) { new Values(items: items.collect { apply(body, it) }) }
    Values mix(Values other) { new Values(items: items + other.items) }
    Values unique() { new Values(items: items.unique(false)) }
    Values splitCsv(Map options) {
        assert options == [header: true]
        new Values(items: items.collectMany { file ->
            def lines = file.readLines('UTF-8').findAll { it }
            def header = lines[0].split(',')*.trim()
            lines.drop(1).collect { line -> [header, line.split(',')*.trim()].transpose().collectEntries() }
        })
    }
    void collectFile(Map options) {
        def folder = new File(options.storeDir)
        folder.mkdirs()
        def lines = options.sort ? items.sort(false) : items
        new File(folder, options.name).setText(lines.join('\n') + (options.newLine ? '\n' : ''), 'UTF-8')
    }
    static apply(Closure body, item) {
        item instanceof List && body.maximumNumberOfParameters > 1 ? body.call(*item) : body.call(item)
    }
}
