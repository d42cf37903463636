/// The program; the command layer replaces this entry point.
@main struct Omtask {
  static func main() {}
}
