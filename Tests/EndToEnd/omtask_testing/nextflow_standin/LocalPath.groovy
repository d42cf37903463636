/** What `file(…)` gives. */
class LocalPath extends File {
    LocalPath(String path) { super(path) }
    String getBaseName() { name.contains('.') ? name[0..<name.lastIndexOf('.')] : name }
    LocalPath copyTo(target) {
        assert ['cp', '-r', path, "$target".toString()].execute().waitFor() == 0
        new LocalPath("$target")
    }
}
