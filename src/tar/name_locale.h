/*
 * name_locale.h - sets the thread's character set around calls of libarchive,
 * which translates names between it and the UTF-8 of a pax header.  Names are
 * plain bytes and must not change:
 *
 *   reading  NAME_LOCALE_READ: a name that is not ASCII has no translation, and
 *            libarchive uses the bytes of the header.  In UTF-8 it would
 *            compose characters, and two names could become one.
 *   writing  NAME_LOCALE_WRITE: UTF-8 is written unchanged, and a name that
 *            is not valid UTF-8 is marked hdrcharset=BINARY.
 */
#ifndef CW_TAR_NAME_LOCALE_H
#define CW_TAR_NAME_LOCALE_H

#include <locale.h>

#define NAME_LOCALE_READ  "C"
#define NAME_LOCALE_WRITE "C.UTF-8"

struct name_locale {
    locale_t own;    /* owned; 0: no memory */
    locale_t before; /* the thread's previous locale */
};

/* A system without C.UTF-8 writes in "C": the same bytes, each name marked. */
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
