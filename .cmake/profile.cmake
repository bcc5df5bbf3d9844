# How the code is built: sanitizers, hardening, link-time optimisation,
# coverage.  Each is a switch that a preset turns on.
option(CW_WERROR "Warnings are errors" OFF)
option(CW_HARDEN "Hardened build: fortify, stack protector, RELRO, CET" OFF)
option(CW_LTO "Link-time optimisation" OFF)
option(CW_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(CW_COVERAGE "Count lines and branches" OFF)
set(CW_SANITIZE "" CACHE STRING "Comma-separated -fsanitize= list")

# Assertions stay in every build: a wrong copy costs more than a check.
foreach(config RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()

add_library(cw_profile INTERFACE)
target_compile_definitions(cw_profile INTERFACE _GNU_SOURCE)
target_compile_options(cw_profile INTERFACE -fno-strict-aliasing -fno-omit-frame-pointer)
if(CW_SANITIZE)
  target_compile_options(cw_profile INTERFACE -fsanitize=${CW_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(cw_profile INTERFACE -fsanitize=${CW_SANITIZE})
endif()
if(CW_FUZZ)
  target_compile_options(cw_profile INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CW_COVERAGE)
  target_compile_options(cw_profile INTERFACE --coverage)
  target_link_options(cw_profile INTERFACE --coverage)
endif()
if(CW_HARDEN)
  # The same sources give the same program, wherever they lie.
  target_compile_options(cw_profile INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
  include(CheckCCompilerFlag)
  check_c_compiler_flag(-ftrivial-auto-var-init=zero CW_HAS_AUTO_VAR_INIT)
  target_compile_options(cw_profile INTERFACE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
    -fstack-clash-protection $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>
    $<$<BOOL:${CW_HAS_AUTO_VAR_INIT}>:-ftrivial-auto-var-init=zero>)
  target_link_options(cw_profile INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES C)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
if(CW_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  # Small enough for one piece; more of them would want make to be installed.
  target_link_options(cw_profile INTERFACE $<$<C_COMPILER_ID:GNU>:-flto-partition=one>)
endif()
