#include "clonewire-source/pairing_argument.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "program/prompt.h"

#define BLANKS " \t\r\n"

/* Stores text, unless it is too long for a code and an address. */
static int keep(struct pairing_argument *paste, const char *text,
                struct error *err)
{
    if (strlen(text) >= sizeof(paste->text))
        return error_set(err, ERROR_USAGE, 0, "the pairing code is too long");
    memcpy(paste->text, text, strlen(text) + 1);
    return 0;
}

/* Overwrites the argument, so that ps(1) does not show the code. */
static void hide(char **argv, const char *secret)
{
    for (; *argv; argv++) {
        size_t len = strlen(*argv);

        if (secret >= *argv && secret < *argv + len)
            memset(*argv, 'x', len);
    }
}

static int read_file(struct pairing_argument *paste, const char *path,
                     struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    AUTO_FD int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int fd = is_stdin ? STDIN_FILENO : opened;
    size_t used = 0;

    if (fd < 0)
        return error_set(err, ERROR_USAGE, errno, "open code file %s", path);
    while (used < sizeof(paste->text)) {
        ssize_t n = read(fd, paste->text + used, sizeof(paste->text) - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, ERROR_USAGE, errno, "read code file %s",
                             path);
        if (n == 0) {
            paste->text[used] = '\0';
            return 0;
        }
        used += (size_t)n;
    }
    return error_set(err, ERROR_USAGE, 0, "code file %s is too long", path);
}

/* Returns 1 if paste has a text, 0 if there is none, -1 with *err filled. */
static int find(struct pairing_argument *paste, struct source_config *config,
                char **argv, struct error *err)
{
    const char *target = config->options.target;
    const char *given = config->code;
    int r;

    if (target && strchr(target, '@'))
        given = target;
    else if (target && (config->code || config->code_file))
        return error_set(err, ERROR_USAGE, 0,
                         "HOST:PORT and a pairing code: give one of them");
    if (given) {
        r = keep(paste, given, err);
        hide(argv, given);
    } else if (config->code_file) {
        r = read_file(paste, config->code_file, err);
    } else if (!target && prompt_is_possible()) {
        r = prompt_line("Paste what clonewire-target printed: ", true,
                        paste->text, sizeof(paste->text))
                ? 0
                : error_set(err, ERROR_USAGE, 0, "no pairing code was given");
    } else {
        return 0;
    }
    return r < 0 ? -1 : 1;
}

/* Returns the last word of a pasted line "clonewire-source IMAGE cw1-...". */
static char *last_word(char *text)
{
    char *end = text + strlen(text);

    while (end > text && strchr(BLANKS, end[-1]))
        end--;
    *end = '\0';
    while (end > text && !strchr(BLANKS, end[-1]))
        end--;
    return end;
}

int pairing_argument_cut(struct pairing_argument *paste,
                         struct source_config *config, struct error *err)
{
    char *word = last_word(paste->text);
    char *at = strchr(word, '@');

    if (!at)
        return error_set(err, ERROR_USAGE, 0,
                         "the pairing code has no \"@HOST:PORT\" at its end");
    *at = '\0';
    config->options.security.pairing_code = word;
    config->options.target = at + 1;
    return 0;
}

int pairing_argument_settle(struct pairing_argument *paste,
                            struct source_config *config, char **argv,
                            struct error *err)
{
    int r = find(paste, config, argv, err);

    return r <= 0 ? r : pairing_argument_cut(paste, config, err);
}

void pairing_argument_wipe(struct pairing_argument *paste,
                           struct source_config *config)
{
    const char *secret = config->options.security.pairing_code;

    if (secret)
        explicit_bzero(paste->text,
                       (size_t)(secret - paste->text) + strlen(secret));
    config->options.security.pairing_code = NULL;
}
