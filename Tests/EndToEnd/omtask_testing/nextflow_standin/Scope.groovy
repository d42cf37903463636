/**
 * A block of a configuration file: `process { cpus = 2 }`, `process.cpus = 2` and selectors such as `withName`.
 *
 * Every name is one of the file's, but for those of this class, which begin with `my`.
 */
class Scope extends GroovyObjectSupport {
    Map myValues = [:], myProfiles = [:], myGiven = [:]
    Scope myRoot
    String myName = ''

    static boolean isOwn(String key) { key.startsWith('my') || key in ['metaClass', 'class'] }

    def getProperty(String key) {
        if (isOwn(key)) return super.getProperty(key)
        if (myValues.containsKey(key)) return myValues[key]
        if (myRoot && myRoot.myValues.containsKey(key)) return myRoot.myValues[key]
        myNested(key)
    }

    void setProperty(String key, value) {
        if (isOwn(key)) super.setProperty(key, value)
        else if (!(myName == 'params' && myRoot.myGiven.containsKey(key))) myValues[key] = value
    }

    Scope myNested(String key) {
        if (!(myValues[key] instanceof Scope)) {
            def scope = new Scope()
            scope.myRoot = myRoot ?: this
            scope.myName = key
            if (key == 'params' && !myRoot) scope.myValues.putAll(myGiven)
            myValues[key] = scope
        }
        myValues[key]
    }

    def invokeMethod(String key, arguments) {
        def body = arguments[0] as Closure
        if (myName == 'profiles') myRoot.myProfiles[key] = body
        else myNested(key).myRun(body)
    }

    Scope myRun(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body.call()
        this
    }
}
