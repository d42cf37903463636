/// A new task as a shell script, but for its manifest.
enum ShellTemplate {
  /// The program and a test.
  static func files(_ module: String) -> [NewTask.File] {
    [
      NewTask.File(name: "\(module).sh", text: program),
      NewTask.File(name: "test_\(module).sh", text: test(module)),
    ]
  }

  /// The script of `Examples/invert`; a test compares the two.
  static let program = #"""
    #!/bin/sh
    # A task in a shell script: every voxel v of uint8 becomes 255 - v. Each line that is read is one
    # line of JSON with its keys always in the same order; docs/external-tasks.md shows them.
    from=$(i=0; while [ $i -lt 256 ]; do printf '\\%03o' $i; i=$((i + 1)); done)
    to=$(i=255; while [ $i -ge 0 ]; do printf '\\%03o' $i; i=$((i - 1)); done)

    while read -r line; do
      case $line in
        '{"omtask":1,'*) echo '{"omtask":1}' ;;
        '{"image":'*) ;;
        '{"region":'*)
          number=${line#*:}; number=${number%%,*}
          shape=${line#*'"output":'}; shape=${shape#*'"shape":'}; shape=${shape%%]*}]
          LC_ALL=C tr "$from" "$to" </dev/fd/3 1<>/dev/fd/4
          echo "{\"region\":$number,\"shape\":$shape,\"dtype\":\"uint8\"}" ;;
      esac
    done

    """#

  private static func test(_ module: String) -> String {
    #"""
    #!/bin/sh
    # Speaks with the program as omtask does, with four voxels.
    set -e
    cd "$(dirname "$0")"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    printf '\000\001\376\377' >"$folder/in"
    printf '\000\000\000\000' >"$folder/out"
    printf '\377\376\001\000' >"$folder/expected"
    voxels='"dtype":"uint8","shape":[2,2]'
    printf '%s\n' '{"omtask":1,"task":"test","result_version":1,"parameters":{},"worker":0}' \
      '{"image":{"name":"test"}}' \
      '{"region":1,"axes":["y","x"],"input":{"path":"/dev/fd/3",'"$voxels"',"origin":[0,0,0]},"output":{"path":"/dev/fd/4",'"$voxels"',"offset":[0,0]},"volume":[1,2,2]}' |
      sh \#(module).sh 3<"$folder/in" 4<>"$folder/out" >"$folder/answers"
    cmp "$folder/out" "$folder/expected"
    grep -q '{"region":1,"shape":\[2,2\],"dtype":"uint8"}' "$folder/answers"
    echo "every voxel is turned"

    """#
  }
}
