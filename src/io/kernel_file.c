#include "io/kernel_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* More mounts than any machine has; also bounds a file that never ends. */
#define MAX_TEXT_BYTES ((size_t)16 << 20)

__attribute__((format(printf, 3, 0))) static bool read_first_line(
    char *text, size_t len, const char *fmt, va_list ap)
{
    char path[PATH_MAX];
    FILE *stream = NULL;
    bool any;

    if (vsnprintf(path, sizeof(path), fmt, ap) < (int)sizeof(path))
        stream = fopen(path, "re");
    any = stream && fgets(text, (int)len, stream);
    if (stream)
        fclose(stream);
    text[any ? strcspn(text, "\n") : 0] = '\0';
    return text[0] != '\0';
}

bool kernel_file_line(char *text, size_t len, const char *fmt, ...)
{
    va_list ap;
    bool any;

    va_start(ap, fmt);
    any = read_first_line(text, len, fmt, ap);
    va_end(ap);
    return any;
}

bool kernel_file_number(uint64_t *number, const char *fmt, ...)
{
    char text[32];
    va_list ap;
    bool any;

    va_start(ap, fmt);
    any = read_first_line(text, sizeof(text), fmt, ap);
    va_end(ap);
    return any && parse_count(text, number);
}

char *kernel_file_text(const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *text = NULL;
    size_t used = 0, capacity = 0;

    if (fd < 0)
        return NULL;
    for (;;) {
        ssize_t n;

        if (capacity - used < 2) {
            char *more = realloc(text, capacity + 65536);

            if (!more || capacity > MAX_TEXT_BYTES)
                return NULL;
            text = more;
            capacity += 65536;
        }
        n = read(fd, text + used, capacity - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        used += (size_t)n;
        text[used] = '\0';
        if (n == 0)
            return TAKE_PTR(text);
    }
}
