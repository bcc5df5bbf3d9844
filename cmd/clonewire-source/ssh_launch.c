#include "clonewire-source/ssh_launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WORDS_MAX    32U
#define SCRIPT_BYTES 8192U
#define PATIENCE_MS  5000U

/* Maximum output of a login before the target's. */
#define OUTPUT_BYTES_MAX (1U << 20)
/* Separates a login's output from the target's.  The login's last line may not
 * have ended. */
#define MARKER "clonewire-target-follows"
/* We read its stdout, even if its machine is a pod.  An older target has no such
 * option, and takes no notice. */
#define PLACE        "export CLONEWIRE_CODE_FILE=-; "
#define PRINT_MARKER "echo; echo " MARKER "; "

/*
 * Scripts for a shell on the other machine: the target listens on the address
 * that this ssh connected to, and gives up if no source connects soon.  One
 * shell passes them to the next, so they contain no single quote.
 */
static const char direct_script[] = PRINT_MARKER
    "set -- $SSH_CONNECTION -- \"$@\"; case $3 in *:*) at=[$3];; *) at=$3;; "
    "esac; shift 5; " PLACE
    "exec clonewire-target --quiet --once --code-valid 60s "
    "--listen \"$at:0\" \"$@\"";
static const char tunnel_script[] = PRINT_MARKER PLACE
    "exec clonewire-target --quiet --once --code-valid 60s "
    "--listen 127.0.0.1:0 \"$@\"";

/* A command line; the words are borrowed. */
struct command {
    char *words[WORDS_MAX + 1];
    unsigned count;
};

static int add_word(struct command *command, const char *word,
                    struct error *err)
{
    if (command->count == WORDS_MAX)
        return error_set(err, ERROR_USAGE, 0, "--via: too many words");
    /* posix_spawn() takes non-const words, but does not change them. */
    memcpy(&command->words[command->count++], &word, sizeof(word));
    return 0;
}

/* Splits the command of --via; its words point into copy. */
static int begin_command(struct command *command, char *copy, struct error *err)
{
    *command = (struct command){ .count = 0 };
    for (char *word; (word = strsep(&copy, " "));)
        if (*word != '\0' && add_word(command, word, err) < 0)
            return -1;
    if (command->count == 0)
        return error_set(err, ERROR_USAGE, 0, "--via: no command");
    return 0;
}

/* Starts command with its stdout on out; -1: /dev/null. */
static int start(const struct command *command, int out, pid_t *pid,
                 struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int r;

    /* This process blocks signals, and a thread waits for them. */
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    r = posix_spawnp(pid, command->words[0], &actions, &attr, command->words,
                     environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    if (r != 0)
        return error_set(err, ERROR_USAGE, r, "--via: run %s",
                         command->words[0]);
    return 0;
}

/* ---- the address ---- */

/* Splits "user@host:DEST", "host:DEST" or "user@[::1]:DEST" in place; ssh takes
 * no brackets. */
static int cut_place(char *text, const char **host, const char **dest,
                     struct error *err)
{
    char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
    char *colon = close ? close + 1 : strchr(text, ':');

    if (!colon || *colon != ':' || colon == text || colon[1] == '\0')
        return error_set(err, ERROR_USAGE, 0,
                         "--via: \"%s\" is not USER@HOST:DEST", text);
    if (close) {
        memmove(open, open + 1, (size_t)(close - open - 1));
        close[-1] = '\0';
    }
    *colon = '\0';
    *host = text;
    *dest = colon + 1;
    if (text[0] == '-')
        return error_set(err, ERROR_USAGE, 0, "--via: host \"%s\"", text);
    return 0;
}

/* Appends " 'word'", quoted for a shell. */
static void quote(char *buf, size_t len, const char *word)
{
    size_t used = strlen(buf);

    used += (size_t)snprintf(buf + used, len - used, " '");
    for (; *word != '\0' && used + 8 < len; word++) {
        if (*word == '\'')
            used += (size_t)snprintf(buf + used, len - used, "'\\''");
        else
            buf[used++] = *word;
    }
    snprintf(buf + used, len - used, "'");
}

static int start_target(struct ssh_launch *via,
                        const struct source_config *config, const char *host,
                        const char *dest, struct error *err)
{
    AUTO_FREE char *copy = strdup(config->via);
    char script[SCRIPT_BYTES] = "exec sh -c";
    struct command command;
    int pipe_fds[2], r;

    if (!copy || pipe2(pipe_fds, O_CLOEXEC) < 0)
        return error_set(err, ERROR_SYSTEM, errno, "--via: start the target");
    via->out = pipe_fds[0];
    quote(script, sizeof(script),
          config->through_ssh ? tunnel_script : direct_script);
    quote(script, sizeof(script), "sh");
    if (config->yes)
        quote(script, sizeof(script), "--yes");
    if (config->local.overwrite)
        quote(script, sizeof(script), "--overwrite");
    quote(script, sizeof(script), "--");
    quote(script, sizeof(script), dest);
    r = begin_command(&command, copy, err);
    if (r == 0 && (add_word(&command, "--", err) < 0 ||
                   add_word(&command, host, err) < 0 ||
                   add_word(&command, script, err) < 0))
        r = -1;
    if (r == 0)
        r = start(&command, pipe_fds[1], &via->target, err);
    close(pipe_fds[1]);
    return r;
}

/* ---- output of the target ---- */

/* The target ended without a code; ssh returns its status. */
static int explain_end(struct ssh_launch *via, const char *host,
                       struct error *err)
{
    int status = 0, code;

    waitpid(via->target, &status, 0);
    via->target = 0;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    if (code == 127)
        return error_set(err, ERROR_PEER, 0,
                         "%s has no clonewire-target in its PATH", host);
    if (code == 255 || !error_kind_is_known((uint32_t)code))
        return error_set(err, ERROR_TEMPORARY, 0,
                         "cannot start the target on %s (ssh says why)", host);
    return error_set(err, (enum error_kind)code, 0,
                     "the target on %s did not start (it says why)", host);
}

/* Reads a line and drops what does not fit; the next line stays in the pipe.
 * Returns false at the end of the output. */
static bool read_line(int fd, char *line, size_t len, size_t *budget)
{
    size_t used = 0;
    char c;

    for (; *budget > 0; --*budget) {
        ssize_t n = read(fd, &c, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (c == '\n')
            break;
        if (used + 1 < len)
            line[used++] = c;
    }
    line[used] = '\0';
    line[strcspn(line, "\r")] = '\0'; /* from a terminal */
    return *budget > 0;
}

/*
 * Finds the first "cw1-..." word that the target prints.  Any output of a login
 * before that ends with MARKER on a line of its own.
 */
static int read_code(struct ssh_launch *via, const char *host,
                     struct pairing_argument *paste, struct error *err)
{
    char *line = paste->text, *code = NULL;
    size_t budget = OUTPUT_BYTES_MAX;
    bool is_target = false;

    while (!code) {
        if (!read_line(via->out, line, sizeof(paste->text), &budget))
            return budget > 0
                       ? explain_end(via, host, err)
                       : error_set(err, ERROR_PROTOCOL, 0,
                                   "%s printed %u bytes, and no pairing code: "
                                   "what runs there is not clonewire-target",
                                   host, OUTPUT_BYTES_MAX);
        if (is_target)
            code = strstr(line, "cw1-");
        else
            is_target = strcmp(line, MARKER) == 0;
    }
    memmove(paste->text, code, strlen(code) + 1);
    return 0;
}

/* ---- --through-ssh ---- */

/* Finds a local port that is free, and so a moment later. */
static unsigned free_port(void)
{
    AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ||
        getsockname(fd, (struct sockaddr *)&in, &len) < 0)
        return 0;
    return ntohs(in.sin_port);
}

/* Forwards a local port to the port in paste, and replaces it there. */
static int start_tunnel(struct ssh_launch *via,
                        const struct source_config *config, const char *host,
                        struct pairing_argument *paste, struct error *err)
{
    AUTO_FREE char *copy = strdup(config->via);
    char *at = strchr(paste->text, '@'), *port = strrchr(paste->text, ':');
    unsigned ours = free_port();
    struct command command;
    char forward[64];

    if (!copy || ours == 0)
        return error_set(err, ERROR_SYSTEM, errno, "--through-ssh");
    if (!at || !port || port < at)
        return error_set(err, ERROR_PROTOCOL, 0,
                         "what runs on %s is not a clonewire-target", host);
    snprintf(forward, sizeof(forward), "127.0.0.1:%u:127.0.0.1:%.5s", ours,
             port + 1);
    snprintf(at, sizeof(paste->text) - (size_t)(at - paste->text),
             "@127.0.0.1:%u", ours);
    if (begin_command(&command, copy, err) < 0 ||
        add_word(&command, "-N", err) < 0 ||
        add_word(&command, "-oExitOnForwardFailure=yes", err) < 0 ||
        add_word(&command, "-L", err) < 0 ||
        add_word(&command, forward, err) < 0 ||
        add_word(&command, "--", err) < 0 || add_word(&command, host, err) < 0)
        return -1;
    return start(&command, -1, &via->tunnel, err);
}

int ssh_launch_start(struct ssh_launch *via, const struct source_config *config,
                     struct pairing_argument *paste, struct error *err)
{
    AUTO_FREE char *place = NULL;
    const char *host, *dest;

    *via = (struct ssh_launch){ .out = -1 };
    if (!config->options.target)
        return error_set(err, ERROR_USAGE, 0,
                         "--via: USER@HOST:DEST is "
                         "missing");
    place = strdup(config->options.target);
    if (!place)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "--via");
    if (cut_place(place, &host, &dest, err) < 0 ||
        start_target(via, config, host, dest, err) < 0 ||
        read_code(via, host, paste, err) < 0)
        return -1;
    return config->through_ssh ? start_tunnel(via, config, host, paste, err)
                               : 0;
}

/* ---- the end ---- */

/* Waits for a process to end by itself, up to a time limit. */
static void reap(pid_t pid, unsigned patience_ms)
{
    const struct timespec moment = { .tv_nsec = 10 * 1000000 };

    if (pid == 0)
        return;
    for (unsigned ms = 0; ms < patience_ms; ms += 10) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        nanosleep(&moment, NULL);
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

void ssh_launch_finish(struct ssh_launch *via, bool is_good)
{
    reap(via->target, is_good ? PATIENCE_MS : 0);
    reap(via->tunnel, 0);
    if (via->out >= 0)
        close(via->out);
    *via = (struct ssh_launch){ .out = -1 };
}
