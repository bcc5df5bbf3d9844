/* sandbox_calls.h - the system calls that our programs make, and a seccomp
 * filter that lets them make no others. */
#ifndef CW_PROGRAM_SANDBOX_CALLS_H
#define CW_PROGRAM_SANDBOX_CALLS_H

#include <stdbool.h>

/*
 * Confines all threads of the process: any other call fails with EPERM, and one
 * by another architecture's table kills the process.  Returns 0 or -errno.  In a
 * build with a sanitizer, which makes calls of its own, it does nothing.
 */
int sandbox_calls_limit(void);

/* Does this kernel filter system calls? */
bool sandbox_calls_is_possible(void);

#endif
