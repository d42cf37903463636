-- omtask: image-analysis tasks on OME-Zarr. The folder may lie anywhere: what is set follows from where this file is.
local root = myFileName():gsub("/share/modulefiles/omtask/[^/]*$", "")
whatis("omtask @VERSION@: image-analysis tasks on OME-Zarr, on one core, all cores or many nodes")
help([[
omtask --help lists the commands; job scripts for Slurm are in $OMTASK_ROOT/Slurm.
MPI is loaded when a launcher starts omtask: load the module of Open MPI or MPICH besides.
]])
conflict("omtask")
setenv("OMTASK_ROOT", root)
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("XDG_DATA_DIRS", pathJoin(root, "share"))
