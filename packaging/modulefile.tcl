#%Module1.0
## omtask: image-analysis tasks on OME-Zarr. The folder may lie anywhere: what is set follows from where this file is.
set here [file dirname $ModulesCurrentModulefile]
set root [file normalize $here/../../..]
module-whatis "omtask @VERSION@: image-analysis tasks on OME-Zarr, on one core, all cores or many nodes"
proc ModulesHelp { } {
  puts stderr "omtask --help lists the commands; job scripts for Slurm are in \$OMTASK_ROOT/Slurm."
  puts stderr "MPI is loaded when a launcher starts omtask: load the module of Open MPI or MPICH besides."
}
conflict omtask
setenv OMTASK_ROOT $root
prepend-path PATH $root/bin
prepend-path XDG_DATA_DIRS $root/share
