/* kernel_file.h - reads text files of /proc and /sys. */
#ifndef CW_IO_KERNEL_FILE_H
#define CW_IO_KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the first line of the file that fmt names, without its newline, cut to
 * len - 1 bytes.  Returns false, with "", if it is empty or cannot be read.
 */
bool kernel_file_line(char *text, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads a line of decimal digits.  False, with *number unchanged: any other. */
bool kernel_file_number(uint64_t *number, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads a whole file, owned by the caller; NULL if it cannot be read. */
char *kernel_file_text(const char *path);

#endif
