#include "io/mount_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "io/kernel_file.h"

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/*
 * Copies the word at *text and decodes the kernel's \ooo for blanks.  *text
 * moves past the word and the blanks after it, never past the line.  Returns
 * false if there is no word or it is too long.
 */
static bool take_word(const char **text, char *word, size_t len)
{
    const char *p = *text;
    size_t n = 0;

    for (; *p != '\0' && *p != ' ' && *p != '\t' && *p != '\n'; p++) {
        char c = *p;

        if (c == '\\' && is_octal(p[1]) && is_octal(p[2]) && is_octal(p[3])) {
            c = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            p += 3;
        }
        if (n + 1 >= len)
            return false;
        word[n++] = c;
    }
    word[n] = '\0';
    while (*p == ' ' || *p == '\t')
        p++;
    *text = p;
    return n > 0;
}

static void skip_line(const char **text)
{
    const char *end = strchr(*text, '\n');

    *text = end ? end + 1 : *text + strlen(*text);
}

static bool skip_words(const char **text, unsigned count)
{
    char word[PATH_MAX];

    while (count-- > 0)
        if (!take_word(text, word, sizeof(word)))
            return false;
    return true;
}

/* The optional fields end with a single dash. */
static bool skip_to_dash(const char **text)
{
    char word[PATH_MAX];

    do {
        if (!take_word(text, word, sizeof(word)))
            return false;
    } while (strcmp(word, "-") != 0);
    return true;
}

bool mount_table_parse_device(const char *text, unsigned *major_number,
                              unsigned *minor_number)
{
    unsigned long first, second;
    char *end;

    first = strtoul(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    second = strtoul(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '\n') || first > UINT_MAX ||
        second > UINT_MAX)
        return false;
    *major_number = (unsigned)first;
    *minor_number = (unsigned)second;
    return true;
}

/* proc(5): id parent major:minor root point options [tags] - type source */
static bool parse_mount(const char *line, struct mount_table_entry *mount)
{
    char id[32], numbers[32];

    return take_word(&line, id, sizeof(id)) && parse_count(id, &mount->id) &&
           skip_words(&line, 1) && take_word(&line, numbers, sizeof(numbers)) &&
           mount_table_parse_device(numbers, &mount->major, &mount->minor) &&
           skip_words(&line, 1) &&
           take_word(&line, mount->point, sizeof(mount->point)) &&
           skip_to_dash(&line) &&
           take_word(&line, mount->type, sizeof(mount->type)) &&
           take_word(&line, mount->source, sizeof(mount->source));
}

bool mount_table_next(const char **text, struct mount_table_entry *mount)
{
    while (**text != '\0') {
        const char *line = *text;

        skip_line(text);
        if (parse_mount(line, mount))
            return true;
    }
    return false;
}

bool mount_table_next_swap(const char **text, char path[PATH_MAX])
{
    while (**text != '\0') {
        const char *line = *text;

        skip_line(text);
        if (*line == '/' && take_word(&line, path, PATH_MAX))
            return true;
    }
    return false;
}

bool mount_table_source(uint64_t id, dev_t *device)
{
    AUTO_FREE char *text = kernel_file_text("/proc/self/mountinfo");
    const char *at = text;
    struct mount_table_entry mount;
    struct stat st;

    while (at && mount_table_next(&at, &mount)) {
        if (mount.id != id)
            continue;
        if (mount.source[0] != '/' || stat(mount.source, &st) < 0 ||
            !S_ISBLK(st.st_mode))
            return false;
        *device = st.st_rdev;
        return true;
    }
    return false;
}
