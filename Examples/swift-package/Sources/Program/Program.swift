import OMCommands
import RangeTasks

/// The program: every command of omtask, for the tasks of `Manifests/`.
@main
enum Program {
  static func main() { OMTaskProgram.main(name: "range-tasks", tasks: TaskCatalog.entries) }
}
