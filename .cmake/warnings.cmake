# The one list of warnings; errors in every preset but release.  Clang would
# apply -Wcast-qual to what OpenSSL's macros do with our arguments.
add_library(cw_warnings INTERFACE)
target_compile_options(cw_warnings INTERFACE
  -Wall -Wextra -Wpedantic
  -Wconversion -Wsign-conversion -Wdouble-promotion -Wfloat-equal
  -Wshadow -Wundef -Wvla -Wpointer-arith -Wcast-align -Wwrite-strings
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wnested-externs -Wredundant-decls
  -Wformat=2 -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference -Wdate-time
  $<$<BOOL:${CW_WERROR}>:-Werror>
  $<$<C_COMPILER_ID:GNU>:-Wcast-qual -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
                         -Walloca -Wtrampolines -Warith-conversion -Wformat-signedness
                         -Wformat-overflow=2>
  $<$<C_COMPILER_ID:Clang>:-Wcomma -Wconditional-uninitialized -Wshift-sign-overflow
                           -Wunreachable-code -Wimplicit-int-conversion>)
