import OMCommands
import OMTasks

/// The program: the commands of OMCommands around the tasks of OMTasks.
@main
enum Omtask {
  static func main() { OMTaskProgram.main(tasks: TaskCatalog.entries) }
}
