/* congestion.h - which congestion control a TCP connection is under. */
#ifndef CW_NET_CONGESTION_H
#define CW_NET_CONGESTION_H

#include "base/error.h"

/*
 * Puts socket fd under the congestion control of that name; NULL leaves it
 * under the system's.  ERROR_USAGE names those that can be had instead: all
 * that the kernel has loaded, or, where an ordinary user may not have this
 * one (EPERM), those that everybody may.
 */
int congestion_set(int fd, const char *name, struct error *err);

/* Would congestion_set() do it?  To be told before anybody is waited for. */
int congestion_check(const char *name, struct error *err);

#endif
