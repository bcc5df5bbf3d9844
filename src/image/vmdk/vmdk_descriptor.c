#include "image/vmdk/vmdk_descriptor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/probe.h"

/* The value of a line that begins with key, or NULL. */
static const char *vmdk_value(const char *line, const char *key)
{
    size_t len = strlen(key);

    if (strncasecmp(line, key, len) != 0)
        return NULL;
    line += len;
    line += strspn(line, " \t");
    if (*line != '=')
        return NULL;
    line++;
    return line + strspn(line, " \t\"");
}

static bool is_vmdk_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncasecmp(text, word, len) == 0 &&
           strchr(" \t\"\r\n", text[len]) != NULL;
}

static int take_vmdk_type(const char *value, struct vmdk_descriptor *found,
                          struct error *err)
{
    static const char *const types[] = { "monolithicSparse",
                                         "streamOptimized" };
    int len = (int)strcspn(value, "\"\r\n");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (is_vmdk_word(value, types[i]))
            found->type = types[i];
    if (found->type)
        return 0;
    for (int i = 0; i < len; i++)
        if (value[i] < ' ' || value[i] > '~')
            len = i;
    return error_set(
        err, ERROR_FORMAT, 0,
        "vmdk: the type \"%.*s\" is not supported, only "
        "monolithicSparse and streamOptimized; " PROBE_SERVE("vmdk"),
        len < 40 ? len : 40, value);
}

/* "RW 2048 SPARSE "disk.vmdk"": a number of sectors.  The name is not used. */
static int take_vmdk_extent(const char *line, struct vmdk_descriptor *found,
                            unsigned *extents, struct error *err)
{
    char *end;

    line += strcspn(line, " \t");
    found->extent_sectors = strtoull(line, &end, 10);
    end += strspn(end, " \t");
    if (*extents == 0 && is_vmdk_word(end, "SPARSE")) {
        ++*extents;
        return 0;
    }
    return error_set(err, ERROR_FORMAT, 0,
                     "vmdk: its data is in several files, or in another one, "
                     "which is not supported; " PROBE_SERVE("vmdk"));
}

static int take_vmdk_line(const char *line, struct vmdk_descriptor *found,
                          unsigned *extents, struct error *err)
{
    const char *value = vmdk_value(line, "createType");

    if (value)
        return take_vmdk_type(value, found, err);
    value = vmdk_value(line, "parentCID");
    if (value && !is_vmdk_word(value, "ffffffff"))
        return error_set(err, ERROR_FORMAT, 0,
                         "vmdk: a snapshot or linked clone, which needs its "
                         "parent; " PROBE_SERVE("vmdk"));
    if (is_vmdk_word(line, "RW") || is_vmdk_word(line, "RDONLY") ||
        is_vmdk_word(line, "NOACCESS"))
        return take_vmdk_extent(line, found, extents, err);
    return 0;
}

int vmdk_descriptor_parse(const char *text, struct vmdk_descriptor *found,
                          struct error *err)
{
    unsigned extents = 0;

    *found = (struct vmdk_descriptor){ 0 };
    while (*text) {
        text += strspn(text, " \t\r\n");
        if (take_vmdk_line(text, found, &extents, err) < 0)
            return -1;
        text += strcspn(text, "\r\n");
    }
    if (found->type && extents == 1)
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "vmdk: the descriptor has no %s: damaged image",
                     found->type ? "extent" : "createType");
}
