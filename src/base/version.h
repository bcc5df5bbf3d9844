/* version.h - which version of the product this is. */
#ifndef CW_BASE_VERSION_H
#define CW_BASE_VERSION_H

/* "0.1.0", as the build names it. */
const char *version_text(void);

#endif
