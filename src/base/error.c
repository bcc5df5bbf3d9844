#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The header redefines these for the analyzer. */
#undef error_set
#undef error_set_at
#undef error_set_named
#undef error_wrap

static const struct kind_row {
    enum error_kind kind;
    const char *name;
    bool retryable;
    const char *hint;
} kinds[] = {
    { ERROR_NONE, "none", false, "" },
    { ERROR_SYSTEM, "system", false,
      "raise the limit that the line names; leave the engine at auto" },
    { ERROR_USAGE, "usage", false,
      "the line names the option, variable or file, and what is wrong with it" },
    { ERROR_NO_SPACE, "no-space", false,
      "make room, or request a volume of the size that the line names" },
    { ERROR_REFUSED, "refused", false,
      "use --overwrite or --yes, unmount it, or choose another destination" },
    { ERROR_CHANGED, "source-changed", false,
      "stop the program that writes to it" },
    { ERROR_FORMAT, "format", false, "repair or convert the image" },
    { ERROR_MISMATCH, "mismatch", true,
      "try again; if it happens again, suspect memory or disk" },
    { ERROR_TLS, "tls", false,
      "correct what both sides name: certificate, name, CA, date or key" },
    { ERROR_PROTOCOL, "protocol", false,
      "use the same version on both sides; else report a bug" },
    { ERROR_BUSY, "busy", true, "try again later" },
    { ERROR_SOURCE_IO, "source-io", false,
      "repair the source's disk, or give the missing permission" },
    { ERROR_TARGET_IO, "target-io", false,
      "repair the target's disk, or give the missing permission" },
    { ERROR_PEER, "peer", true, "read the log of the other side" },
    { ERROR_TEMPORARY, "temporary", true,
      "try again: the clone continues where it was" },
    { ERROR_CANCELLED, "cancelled", true,
      "try again: the clone continues where it was" },
};

/* The remedy if errnum alone implies one; else "", see the object that
 * failed. */
static const char *remedy(int errnum)
{
    if (errnum == EMFILE)
        return "; raise the limit of this process (ulimit -n)";
    if (errnum == ENFILE)
        return "; raise the limit of this machine (sysctl fs.file-max)";
    return "";
}

/* An open that fails for lack of descriptors is not the file's fault. */
static enum error_kind kind_for(enum error_kind kind, int errnum)
{
    return errnum == EMFILE || errnum == ENFILE ? ERROR_SYSTEM : kind;
}

/* Fills err, with "<text>" or "<text>: <strerror>". */
__attribute__((format(printf, 4, 0))) static void fill(struct error *err,
                                                       enum error_kind kind,
                                                       int errnum,
                                                       const char *fmt,
                                                       va_list ap)
{
    char why[64];
    size_t used;

    *err = (struct error){
        .kind = kind_for(kind, errnum),
        .errnum = errnum,
        .offset = ERROR_NO_OFFSET,
    };
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    if (errnum == 0)
        return;
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s%s",
             strerror_r(errnum, why, sizeof(why)), remedy(errnum));
}

int error_set(struct error *err, enum error_kind kind, int errnum,
              const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, kind, errnum, fmt, ap);
    va_end(ap);
    return -1;
}

int error_set_at(struct error *err, enum error_kind kind, int errnum,
                 uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, kind, errnum, fmt, ap);
    va_end(ap);
    err->offset = offset;
    return -1;
}

int error_set_named(struct error *err, enum error_kind kind, int errnum,
                    const char *fmt, ...)
{
    bool is_missing = errnum == ENOENT || errnum == ENOTDIR;
    va_list ap;

    va_start(ap, fmt);
    fill(err, is_missing ? ERROR_USAGE : kind, errnum, fmt, ap);
    va_end(ap);
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    char inner[sizeof(err->text)];
    va_list ap;
    size_t used;

    memcpy(inner, err->text, sizeof(inner));

    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);

    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
    return -1;
}

/* Returns the row of a kind; NULL for a number that is none. */
static const struct kind_row *find_kind(uint32_t number)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if ((uint32_t)kinds[i].kind == number)
            return &kinds[i];
    return NULL;
}

bool error_is_retryable(enum error_kind kind)
{
    const struct kind_row *row = find_kind((uint32_t)kind);

    return row && row->retryable;
}

const char *error_hint(enum error_kind kind)
{
    const struct kind_row *row = find_kind((uint32_t)kind);

    return row ? row->hint : "";
}

bool error_kind_is_known(uint32_t number)
{
    return find_kind(number) != NULL;
}

const char *error_kind_name(enum error_kind kind)
{
    const struct kind_row *row = find_kind((uint32_t)kind);

    return row ? row->name : "unknown";
}
