import Testing

@testable import OMExternal

@Suite struct ChildVariablesTests {
  @Test(arguments: [
    "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_SIZE", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN",
    "db_password",
  ])
  func `children get no variables of launchers and no passwords`(name: String) {
    #expect(ChildVariables([name: "x"]).values[name] == nil)
  }

  @Test func `children work on one core unless the user says otherwise`() {
    #expect(ChildVariables(["PATH": "/bin"]).values["OMP_NUM_THREADS"] == "1")
    #expect(ChildVariables(["OMP_NUM_THREADS": "3"]).values["OMP_NUM_THREADS"] == "3")
    #expect(ChildVariables(["PATH": "/bin"]).values["PATH"] == "/bin")
  }
}
