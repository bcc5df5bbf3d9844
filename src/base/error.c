#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The header redefines these for the analyzer. */
#undef error_set
#undef error_set_at
#undef error_wrap

static const struct {
    enum error_kind kind;
    const char *name;
    bool retryable;
    const char *hint;
} kinds[] = {
    { ERROR_NONE, "none", false, "" },
    { ERROR_SYSTEM, "system", false,
      "raise the limit that is named; leave the engine to auto" },
    { ERROR_USAGE, "usage", false,
      "the line names option, variable, value and bounds" },
    { ERROR_NO_SPACE, "no-space", false,
      "make room, or request a volume of the size it names" },
    { ERROR_REFUSED, "refused", false,
      "--overwrite, --yes, unmount, or another destination" },
    { ERROR_CHANGED, "source-changed", false, "stop what writes to it" },
    { ERROR_FORMAT, "format", false, "repair or convert the image" },
    { ERROR_MISMATCH, "mismatch", true,
      "again; when it stays so, suspect memory or disk" },
    { ERROR_TLS, "tls", false,
      "mend what both sides name: certificate, name, CA, date or key" },
    { ERROR_PROTOCOL, "protocol", false,
      "the same version on both sides; else report it" },
    { ERROR_BUSY, "busy", true, "again, later" },
    { ERROR_SOURCE_IO, "source-io", false,
      "mend the source's disk; it may also be a missing right" },
    { ERROR_TARGET_IO, "target-io", false,
      "mend the target's disk; it may also be a missing right" },
    { ERROR_PEER, "peer", true, "look at the log of the other side" },
    { ERROR_TEMPORARY, "temporary", true, "again: it goes on where it was" },
    { ERROR_CANCELLED, "cancelled", true, "again: it goes on where it was" },
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

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

/* Writes "<text>" or "<text>: <strerror>" into err->text. */
__attribute__((format(printf, 2, 0))) static void compose(struct error *err,
                                                          const char *fmt,
                                                          va_list ap)
{
    char why[64];
    size_t used;

    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    if (err->errnum == 0)
        return;

    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s%s",
             strerror_r(err->errnum, why, sizeof(why)), remedy(err->errnum));
}

int error_set(struct error *err, enum error_kind kind, int errnum,
              const char *fmt, ...)
{
    va_list ap;

    *err = (struct error){
        .kind = kind_for(kind, errnum),
        .errnum = errnum,
        .offset = ERROR_NO_OFFSET,
    };
    va_start(ap, fmt);
    compose(err, fmt, ap);
    va_end(ap);
    return -1;
}

int error_set_at(struct error *err, enum error_kind kind, int errnum,
                 uint64_t offset, const char *fmt, ...)
{
    va_list ap;

    *err = (struct error){ .kind = kind_for(kind, errnum),
                           .errnum = errnum,
                           .offset = offset };
    va_start(ap, fmt);
    compose(err, fmt, ap);
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

bool error_is_retryable(enum error_kind kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].kind == kind)
            return kinds[i].retryable;
    return false;
}

const char *error_hint(enum error_kind kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].kind == kind)
            return kinds[i].hint;
    return "";
}

bool error_kind_is_known(uint32_t number)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if ((uint32_t)kinds[i].kind == number)
            return true;
    return false;
}

const char *error_kind_name(enum error_kind kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown";
}
