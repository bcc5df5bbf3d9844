#include "output/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* getenv() is safe here: nothing in these programs changes the environment. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value ? value : "";
}

bool terminal_is_smart(int fd)
{
    const char *term = variable("TERM");

    return isatty(fd) && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_wants_colour(void)
{
    return variable("NO_COLOR")[0] == '\0';
}

unsigned terminal_columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}
