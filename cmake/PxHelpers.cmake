# Helpers of the build: flags per kind of build, and px_unit_test.
# SPDX-License-Identifier: Apache-2.0

if(PX_BUILD STREQUAL "host")
    add_compile_options(-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
    find_package(GTest REQUIRED)
    include(GoogleTest)
elseif(PX_BUILD STREQUAL "release")
    add_compile_options(-O2 -g)
endif()

# px_unit_test(NAME source… [LIBS library…]): a GoogleTest binary that ctest runs as one test.
function(px_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
