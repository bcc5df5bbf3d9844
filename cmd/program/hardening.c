#include "program/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void hardening_apply(void)
{
    static const struct rlimit none = { 0, 0 };

    (void)prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* whose leak check is a debugger */
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
}
