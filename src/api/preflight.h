/*
 * preflight.h - tests what works on this machine, and advises on the rest.
 * Changes nothing.
 */
#ifndef CW_API_PREFLIGHT_H
#define CW_API_PREFLIGHT_H

#include "clonewire/clonewire.h"

/*
 * Fills at most max findings about this machine and, unless path is NULL, about
 * the disk, volume or directory at path.  Returns their number.
 */
unsigned preflight_examine(const char *path, struct cw_finding *findings,
                           unsigned max);

#endif
