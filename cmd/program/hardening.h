/* hardening.h - what a process gives up before it reads a secret. */
#ifndef CW_PROGRAM_HARDENING_H
#define CW_PROGRAM_HARDENING_H

/*
 * Keys and the guest's data stay in the process: no core dump (RLIMIT_CORE,
 * PR_SET_DUMPABLE, which also keeps debuggers of the same user out), and
 * programs that it starts gain no privileges (PR_SET_NO_NEW_PRIVS).  Failures
 * are ignored: a kernel or a policy that refuses them protects by itself.
 */
void hardening_apply(void);

#endif
