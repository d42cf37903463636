/** Runs a file of nf-test. */
class NfTest {
    File file
    Engine engine
    Map made = [success: true, out: [:]]
    List<String> done = []
    def subject
    def input = []
    Map variables

    def methodMissing(String key, arguments) {
        def body = arguments[-1]
        if (key in ['nextflow_process', 'nextflow_workflow', 'when', 'then']) return here(body)
        throw new MissingMethodException(key, NfTest, arguments)
    }
    def here(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body.call()
    }
    def name(String text) {}
    def tag(String text) {}
    def options(String text) { engine.stub = text == '-stub' }
    def script(String path) { subject = Source.read(new File(file.parentFile, path).canonicalFile) }
    def process(String name) { subject = Engine.definition(subject, name) }
    def workflow(String name) { subject = Engine.definition(subject, name) }
    def process(Closure body) { call(body) }
    def workflow(Closure body) { call(body) }
    def call(Closure body) {
        input = []
        Engine.evaluate(here(body).toString(), engine.around() + variables + [input: input, channel: new ChannelFactory(engine: engine)])
        made = [success: true, out: [:]]
        try {
            made.out = engine.callable(subject, subject.name, '').call(*input.collect {
                it instanceof List ? new Values(items: [it]) : it }).collectEntries { [it.key, it.value.items] }
        } catch (Failure failure) {
            made.success = false
            made.text = failure.message
        }
    }
    def test(String name, Closure body) {
        engine.stub = false
        here(body)
        done << name
    }
    def assertAll(Closure... bodies) { bodies.each { here(it) } }
    def path(where) { new LocalPath("$where") }
    def getProcess() { made as Expando }
    def getWorkflow() { made as Expando }
    def propertyMissing(String key) { variables[key] }
}
