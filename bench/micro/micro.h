/*
 * micro.h - times one small thing at a time.
 *
 *   PROGRAM [--iterations N] [--only NAME] [ARGUMENT...]
 *
 * Each measurement is a line "NAME NS_PER_CALL GB_PER_S" (0 where bytes mean
 * nothing): the best of several batches, since what is slower was disturbed.
 * With --iterations every body runs exactly N times and nothing is timed: for
 * counting instructions, which do not depend on who else uses the machine.
 * --only leaves all measurements out but one.
 */
#ifndef CW_BENCH_MICRO_H
#define CW_BENCH_MICRO_H

#include <stdbool.h>
#include <stdint.h>

/* One call of what is measured. */
typedef void micro_body(void *opaque);

/* Takes the options off argv; returns the number of arguments left. */
int micro_begin(int argc, char **argv);

/* False when --only asked for another one. */
bool micro_wants(const char *name);

/* Measures body and prints its line.  bytes: what one call handles, or 0. */
void micro_run(const char *name, uint64_t bytes, micro_body *body,
               void *opaque);

/* Prints a line of something that was measured by hand. */
void micro_print(const char *name, double ns_per_call, double bytes_per_call);

/* How often the body of a hand-made measurement is to run: N, or normal. */
uint64_t micro_iterations(uint64_t normal);

/* Incompressible bytes, the same every time. */
void micro_fill(uint8_t *out, uint64_t len);

/* Page-aligned memory that lives as long as the program. */
uint8_t *micro_memory(uint64_t len);

/* Ends the program with a message when condition is false. */
void micro_require(int condition, const char *what);

#endif
