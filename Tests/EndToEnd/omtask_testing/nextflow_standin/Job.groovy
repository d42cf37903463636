/** What `task` is in a process: settings, of which closures are called when they are asked for. */
class Job extends LinkedHashMap {
    private final Map names

    Job(Map names) { this.@names = names }

    static Job of(Map settings, Map own, Map around) {
        def names = new LinkedHashMap(around)
        def job = new Job(names)
        names.task = job
        job.putAll(settings + own)
        def ext = new Job(names)
        ext.putAll(settings.ext)
        job.put('ext', ext)
        job
    }

    def get(Object key) { called(super.get(key)) }

    /** What a closure gives that knows the names of the task, or the value itself. */
    def called(value) {
        if (!(value instanceof Closure)) return value
        def body = value.clone()
        body.delegate = this.@names
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body.call()
    }
}
