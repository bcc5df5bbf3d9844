/* version.h - the version of the product. */
#ifndef CW_BASE_VERSION_H
#define CW_BASE_VERSION_H

/* The version that the build sets, such as "0.1.0". */
const char *version_text(void);

#endif
