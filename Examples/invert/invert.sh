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
