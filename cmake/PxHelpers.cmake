# Helpers of the build: flags per kind of build, and px_unit_test.
# SPDX-License-Identifier: Apache-2.0

if(PX_BUILD STREQUAL "host")
    add_compile_options(-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
    find_package(GTest REQUIRED)
    include(GoogleTest)
elseif(PX_BUILD STREQUAL "release")
    add_compile_options(-O2)
    add_link_options(-s)
    # g++ 12 sees these where there are none: in std::optional and in std::string's operator+.
    add_compile_options("$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-restrict>")
endif()

option(PX_DEBUG_LOCKS "check the order of locks at each acquisition (see hypervisor/base/spinlock.hpp)" OFF)
if(PX_DEBUG_LOCKS)
    add_compile_definitions(PX_DEBUG_LOCKS)
endif()

# px_unit_test(NAME source… [LIBS library…]): a GoogleTest binary that ctest runs as one test.
function(px_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# The hypervisor's own flags: nothing of a hosted environment but header-only C++.
if(PX_BUILD MATCHES "x86|arm")
    add_compile_options(-O2 -g -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-asynchronous-unwind-tables
        -fno-stack-protector -fno-omit-frame-pointer -fno-strict-aliasing -fvisibility=hidden -fPIE
        -mgeneral-regs-only -fno-common -ffunction-sections -fno-tree-loop-distribute-patterns)
    add_compile_definitions(PX_HYPERVISOR)
endif()
if(PX_BUILD STREQUAL "x86")
    add_compile_options(-mno-red-zone -mcmodel=small -fcf-protection=none)
    # Retpolines can be put into place at boot: arch/x86/cpu/indirect_branches.S.
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-mindirect-branch=thunk-extern;-mindirect-branch-register>")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_SOURCE_DIR}/arch/x86/visibility.hpp>")
endif()
