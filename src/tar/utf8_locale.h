/*
 * utf8_locale.h - libarchive translates names by the thread's locale, and in a
 * program that set none it loses every name that is not ASCII.  Around calls
 * of it: UTF-8, in which other bytes stay what they are.
 */
#ifndef CW_TAR_UTF8_LOCALE_H
#define CW_TAR_UTF8_LOCALE_H

#include <locale.h>

struct utf8_locale {
    locale_t utf8;   /* owned; 0: none to be had */
    locale_t before; /* the thread's own, meanwhile */
};

static inline void utf8_locale_begin(struct utf8_locale *words)
{
    words->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    words->before = words->utf8 ? uselocale(words->utf8) : (locale_t)0;
}

static inline void utf8_locale_end(struct utf8_locale *words)
{
    if (!words->utf8)
        return;
    uselocale(words->before);
    freelocale(words->utf8);
    words->utf8 = (locale_t)0;
}

#endif
