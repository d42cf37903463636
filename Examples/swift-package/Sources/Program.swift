import OMCommands

/// The program: every command of omtask, for the tasks of `Manifests/`.
@main
enum Program {
  static func main() { OMTaskProgram.main(tasks: TaskCatalog.entries) }
}
