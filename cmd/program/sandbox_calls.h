/* sandbox_calls.h - the system calls that our programs make, and a seccomp
 * filter that lets them make no others. */
#ifndef CW_PROGRAM_SANDBOX_CALLS_H
#define CW_PROGRAM_SANDBOX_CALLS_H

#include <stdbool.h>

/*
 * Confines all threads of the process: any other call fails with EPERM, one that
 * is newer than Linux 6.1 with ENOSYS, and one by another architecture's table
 * kills the process.  Returns 0 or -errno.
 */
int sandbox_calls_limit(void);

/* Does this kernel filter system calls? */
bool sandbox_calls_is_possible(void);

#endif
