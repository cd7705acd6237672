# Sources of the matrix products, with the instruction-set options of each file.
# The including CMakeLists calls `aifabrik_matmul_sources(<target>)`.
# No -march=native: the library chooses at run time, so each folder is compiled for its own instruction set and
# nothing outside it may contain such instructions.
set(AIFABRIK_MATMUL_DIR ${CMAKE_CURRENT_LIST_DIR})
function(aifabrik_matmul_sources target)
endfunction()
