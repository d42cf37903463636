/** A process or a workflow as one calls it: `A(images)`, then `A.out`. */
class Callable extends Closure {
    Closure body
    Map out
    Callable(Closure body) { super(null); this.body = body }
    protected doCall(Object... arguments) { out = body.call(arguments as List); out }
    def getProperty(String name) { name == 'out' ? this.@out : super.getProperty(name) }
}
