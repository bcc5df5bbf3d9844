/* fuzz.h - the one function a harness has, as libFuzzer names it. */
#ifndef CW_TESTS_FUZZ_H
#define CW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; whatever is wrong with the code under test aborts. */
/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
