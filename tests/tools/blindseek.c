/*
 * blindseek - runs a program for which lseek(SEEK_DATA) finds no data, as on
 * a filesystem that calls what was just written a hole: blindseek COMMAND...
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The low half of the third argument: whence. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WHENCE offsetof(struct seccomp_data, args[2])
#else
#define WHENCE (offsetof(struct seccomp_data, args[2]) + 4)
#endif

static int blind(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_lseek, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WHENCE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SEEK_DATA, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENXIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {
        .len = sizeof program / sizeof program[0],
        .filter = program,
    };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: blindseek COMMAND...\n");
        return 2;
    }
    if (blind() < 0) {
        perror("blindseek");
        return 2;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
