/*
 * sandbox.h - what a program gives up once its disk is open and before it
 * talks to a peer: files that it has no business with (Landlock), and system
 * calls that it never makes (seccomp, in sandbox_calls.h).
 *
 *   sandbox_set() -> sandbox_enter()
 *
 * Only programs are confined, never a process that embeds the library.
 */
#ifndef CW_PROGRAM_SANDBOX_H
#define CW_PROGRAM_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"
#include "options/common_options.h"
#include "options/option.h"

/*
 * The mode, and all paths that config names by the rows of program: those of
 * the disk and of files to write with their directories.  config is borrowed
 * until sandbox_enter().
 */
void sandbox_set(enum common_options_sandbox mode,
                 const struct option_program *program, const void *config);

/*
 * Confines this thread, the threads that it will start, and, to allowed system
 * calls, all threads.  Stays allowed: descriptors that are open, and the files
 * behind them by any name; the paths of sandbox_set(); reading system files
 * (/etc, /usr, /proc, /sys).  Starting a program is not.  Only the first call
 * has an effect, and none without sandbox_set(), nor in a build with a
 * sanitizer, whose own work is confined otherwise.
 *
 * ERROR_SYSTEM: COMMON_OPTIONS_SANDBOX_REQUIRE, and the kernel lacks something.
 */
int sandbox_enter(struct error *err);

/* What this kernel has of it, for --doctor: "Landlock 7, seccomp".  Returns
 * whether that is all. */
bool sandbox_describe(char *buf, unsigned len);

#endif
