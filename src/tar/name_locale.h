/*
 * name_locale.h - the thread's character set around calls of libarchive,
 * which translates names between it and the UTF-8 of a pax header.  A name is
 * bytes, and stays them:
 *
 *   reading  NAME_LOCALE_READ: whatever is not ASCII has no translation, and
 *            libarchive then takes the bytes of the header.  In UTF-8 it
 *            composes characters, and two names become one.
 *   writing  NAME_LOCALE_WRITE: UTF-8 goes through as it is, and a name that
 *            is not valid UTF-8 is marked hdrcharset=BINARY.
 */
#ifndef CW_TAR_NAME_LOCALE_H
#define CW_TAR_NAME_LOCALE_H

#include <locale.h>

#define NAME_LOCALE_READ  "C"
#define NAME_LOCALE_WRITE "C.UTF-8"

struct name_locale {
    locale_t own;    /* owned; 0: no memory */
    locale_t before; /* the thread's, meanwhile */
};

/* A system without C.UTF-8 writes in "C": the same bytes, each marked. */
static inline void name_locale_begin(struct name_locale *names,
                                     const char *charset)
{
    names->own = newlocale(LC_CTYPE_MASK, charset, (locale_t)0);
    if (!names->own)
        names->own = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    names->before = names->own ? uselocale(names->own) : (locale_t)0;
}

static inline void name_locale_end(struct name_locale *names)
{
    if (!names->own)
        return;
    uselocale(names->before);
    freelocale(names->own);
    names->own = (locale_t)0;
}

#endif
