# Sources of the matrix products, with the instruction-set options of each file.
# The including CMakeLists has a target and calls `aifabrik_matmul_sources(<target>)`; the target needs native/include.
# No -march=native: the library chooses at run time, so each folder is compiled for its own instruction set and
# nothing outside it may contain such instructions.
set(AIFABRIK_MATMUL_DIR ${CMAKE_CURRENT_LIST_DIR})

function(aifabrik_matmul_sources target)
    set(dir ${AIFABRIK_MATMUL_DIR})
    # Under the sanitizers these templates take many minutes at -O3, and what they check doesn't depend on it.
    set(fast -O3)
    set(small -O2)
    if(AIFABRIK_SANITIZE)
        set(fast -O1)
        set(small -O1)
    endif()
    # Products and differences round separately: the golden blocks hold every bit of that.
    set(format ${dir}/format/read_block.cpp ${dir}/format/block_values.cpp ${dir}/format/record.cpp ${dir}/format/packing.cpp)
    set_source_files_properties(${format} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "-ffp-contract=off")
    target_sources(${target} PRIVATE ${format} ${dir}/dispatch.cpp ${dir}/generic/kernels.cpp)

    # GCC 12 warns inside its own intrinsics headers, and takes minutes to do so.
    set(quiet "-Wno-maybe-uninitialized;-Wno-uninitialized")
    # GCC 12 at -O3 takes minutes over the arrays of plain C++, and gets the products of Q2_K wrong (the tests show it);
    # -O1 and -O2 do not.
    set_source_files_properties(${dir}/generic/kernels.cpp TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${small};${quiet}")

    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
        set(avx2 ${dir}/avx2/kernels_basic.cpp ${dir}/avx2/kernels_k.cpp ${dir}/avx2/kernels_rest.cpp)
        set(avx2_options "${fast};-mavx2;-mfma;-mf16c;${quiet}")
        set_source_files_properties(${avx2} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx2_options}")
        set_source_files_properties(${dir}/avx2/kernels_vnni.cpp TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx2_options};-mavxvnni")

        set(avx512 ${dir}/avx512/kernels_basic.cpp ${dir}/avx512/kernels_k.cpp ${dir}/avx512/kernels_rest.cpp)
        set(avx512_options "${fast};-mavx2;-mfma;-mf16c;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mprefer-vector-width=512;${quiet}")
        set_source_files_properties(${avx512} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx512_options}")
        set_source_files_properties(${dir}/avx512/kernels_bf16.cpp TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx512_options};-mavx512bf16")

        target_sources(${target} PRIVATE ${avx2} ${dir}/avx2/kernels_vnni.cpp ${avx512} ${dir}/avx512/kernels_bf16.cpp)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
        set(neon ${dir}/neon/kernels_basic.cpp ${dir}/neon/kernels_k.cpp ${dir}/neon/kernels_rest.cpp)
        set_source_files_properties(${neon} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${fast};-march=armv8.2-a+dotprod;${quiet}")
        target_sources(${target} PRIVATE ${neon})
    endif()
endfunction()
