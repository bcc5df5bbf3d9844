#include "http/path.h"

#include <stdbool.h>
#include <string.h>

/* -1: not a hexadecimal digit. */
static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

static bool decode_escapes(char *path)
{
    char *to = path;

    for (const char *at = path; *at != '\0'; at++) {
        int high, low;

        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        high = digit_of(at[1]);
        low = high < 0 ? -1 : digit_of(at[2]);
        if (low < 0 || high + low == 0)
            return false;
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return true;
}

void http_path_clean(char *path)
{
    char *to = path;

    if (!decode_escapes(path))
        *path = '\0';
    for (const char *at = path; *at != '\0';) {
        if (at[0] == '/' && at[1] == '/')
            at++;
        else if (at[0] == '/' && at[1] == '.' && at[2] == '/')
            at += 2;
        else
            *to++ = *at++;
    }
    *to = '\0';
}
