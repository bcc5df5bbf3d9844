#include "job/rate_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

static void auto_close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

int rate_file_read(const char *path, uint64_t *bytes_per_second,
                   struct error *err)
{
    AUTO(auto_close_stream) FILE *stream = fopen(path, "re");
    char text[64];
    uint64_t rate = 0;

    if (!stream || !fgets(text, sizeof(text), stream))
        return error_set(err, ERROR_USAGE, stream ? 0 : errno,
                         "read a rate from %s", path);
    text[strcspn(text, " \t\r\n")] = '\0';
    if (strcmp(text, "off") != 0 &&
        (!parse_bytes(text, &rate) || rate < RATE_FILE_LEAST_BYTES))
        return error_set(err, ERROR_USAGE, 0,
                         "%s: \"%s\" is no rate of 64KiB a second or more, "
                         "nor off",
                         path, text);
    *bytes_per_second = rate;
    return 0;
}
