/* congestion.h - selects the congestion control of a TCP connection. */
#ifndef CW_NET_CONGESTION_H
#define CW_NET_CONGESTION_H

#include "base/error.h"

/*
 * Sets the congestion control of socket fd by name; NULL keeps the system's.
 * ERROR_USAGE lists the available ones: all that the kernel has loaded or, if
 * an ordinary user may not use this one (EPERM), those that every user may.
 */
int congestion_set(int fd, const char *name, struct error *err);

/* Would congestion_set() succeed?  Allows an error before any wait for a
 * peer. */
int congestion_check(const char *name, struct error *err);

#endif
