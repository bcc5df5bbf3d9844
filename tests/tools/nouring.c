/*
 * nouring - runs a program where io_uring is refused, as a container's
 * seccomp profile does: nouring EPERM|ENOSYS|ENTER|CHMOD|LANDLOCK COMMAND...
 *
 * EPERM is what Docker and containerd answer, ENOSYS podman and CRI-O.
 * ENTER lets a ring be made and refuses only to use it, as profiles written
 * from a list of "setup" calls have done.  CHMOD refuses fchmod(2) instead, as
 * a filesystem without modes does.  LANDLOCK refuses Landlock, as a kernel
 * without it does.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(uint32_t first, uint32_t last, uint32_t errnum)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
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

static int refuse_by_name(const char *name)
{
    /* setup, enter and register are neighbours on every architecture. */
    if (strcmp(name, "EPERM") == 0)
        return refuse(SYS_io_uring_setup, SYS_io_uring_register, EPERM);
    if (strcmp(name, "ENOSYS") == 0)
        return refuse(SYS_io_uring_setup, SYS_io_uring_register, ENOSYS);
    if (strcmp(name, "ENTER") == 0)
        return refuse(SYS_io_uring_enter, SYS_io_uring_enter, EPERM);
    if (strcmp(name, "CHMOD") == 0)
        return refuse(SYS_fchmod, SYS_fchmod, EPERM);
    if (strcmp(name, "LANDLOCK") == 0)
        return refuse(SYS_landlock_create_ruleset, SYS_landlock_restrict_self,
                      ENOSYS);
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: nouring EPERM|ENOSYS|ENTER|CHMOD|LANDLOCK "
                        "COMMAND...\n");
        return 2;
    }
    if (refuse_by_name(argv[1]) < 0) {
        perror("nouring");
        return 2;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
