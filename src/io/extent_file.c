#include "io/extent_file.h"

#include <errno.h>

#include "base/cleanup.h"
#include "io/extent_text.h"

static void auto_close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

static int read_format(struct extent_text *text, struct error *err)
{
    int c = extent_text_peek(text);

    if (c == '[' || c == '{')
        return extent_json_read(text, err);
    if (c == '<')
        return extent_thin_read(text, err);
    return error_set(err, ERROR_USAGE, 0,
                     "%s is not a list of extents: it is neither JSON nor the "
                     "XML of thin_dump or thin_delta",
                     text->options->path);
}

int extent_file_read(struct extent_file_options *options, struct error *err)
{
    AUTO(auto_close_stream) FILE *in = fopen(options->path, "re");
    struct extent_text text = { .options = options, .in = in };
    int r;

    options->format = "empty list";
    options->entries = options->bytes = 0;
    if (!in)
        return error_set(err, ERROR_USAGE, errno, "read %s", options->path);
    r = read_format(&text, err);
    if (ferror(in))
        return error_set(err, ERROR_USAGE, errno, "read %s", options->path);
    return r;
}
