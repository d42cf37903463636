/** An input of the kind `path`, of which a link is put into the folder of the task. */
class Staged {
    File file
    String place

    /** The name by which the script knows it. */
    String into(File work) {
        def name = place.replace('*', file.name)
        def link = new File(work, name)
        link.parentFile.mkdirs()
        java.nio.file.Files.createSymbolicLink(link.toPath(), file.toPath())
        name
    }
}
