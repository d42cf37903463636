/** A process or a workflow of a file. */
class Definition {
    String kind, name
    File file
    int line
    /** The statements of each section, in their order; those before the first label are under ''. */
    Map<String, List<String>> sections = [:]
}
