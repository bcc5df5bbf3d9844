/*
 * slow_link.c - two network namespaces and a link between them that is slow,
 * long, or broken when told so.  For kernels without netem as well, and for
 * any user who may make namespaces.
 *
 *   bench-slow-link RATE_MBIT DELAY_MS QUEUE_KIB
 *
 * RATE: of each direction, counting IP packets of 1500 bytes with the 38
 * bytes that Ethernet adds to each.  DELAY: one way.  QUEUE: what waits at the
 * slow point; the rest is lost.  Prints "ready NEAR FAR", paths of the two
 * namespaces (for nsenter --net=), in which it is 198.18.0.1 and 198.18.0.2;
 * both last as long as this process, which is in the far one.
 *
 *   SIGUSR1   the link goes dead, or works again: nobody is told
 *   SIGUSR2   the connection that sends next from near to far is reset
 *
 * Real packets of the kernel's own TCP travel between two TUN devices, in
 * pieces of up to 64 KiB, as between a kernel and a network card that cuts
 * them up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define DEVICE         "link0"
#define PACKET_MAX     (65536U + sizeof(struct virtio_net_hdr))
#define ETHERNET_BYTES 38U /* header, checksum, preamble, gap */
#define TURN_PACKETS   32U /* read from one side before the other's turn */
#define TX_QUEUE       10000
#define CREDIT_NS      (5 * CLOCK_MS_NS) /* how late we may wake up */

/* The device's header has 10 bytes: with two in front, IP is aligned. */
#define PAD_BYTES 2U

struct packet {
    struct packet *next;
    uint64_t due_ns;
    size_t len;      /* without the padding */
    uint8_t bytes[]; /* padding, virtio_net_hdr, IP */
};

/* One direction. */
struct way {
    int from, to;
    struct packet *head, **tail;
    uint64_t busy_ns; /* until then the slow point is busy */
};

struct shape {
    uint64_t bytes_per_second;
    uint64_t delay_ns;
    uint64_t queue_ns; /* longest wait at the slow point */
};

static volatile sig_atomic_t is_dead, must_reset, must_stop;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        is_dead = !is_dead;
    else if (number == SIGUSR2)
        must_reset = 1;
    else
        must_stop = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- namespaces and devices ---- */

static void configure(const char *address)
{
    struct sockaddr_in *in;
    struct ifreq r = { .ifr_name = DEVICE };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    in = (struct sockaddr_in *)(void *)&r.ifr_addr;
    in->sin_family = AF_INET;
    inet_pton(AF_INET, address, &in->sin_addr);
    if (fd < 0 || ioctl(fd, SIOCSIFADDR, &r) < 0)
        die("set the address");
    inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
    if (ioctl(fd, SIOCSIFNETMASK, &r) < 0)
        die("set the netmask");
    r.ifr_qlen = TX_QUEUE;
    if (ioctl(fd, SIOCSIFTXQLEN, &r) < 0)
        die("set the queue length");
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
        die("bring the link up");
    memcpy(r.ifr_name, "lo", sizeof("lo"));
    if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
        die("bring lo up");
    close(fd);
}

/* A new namespace, with the link in it; we are there then. */
static int make_end(const char *address, int *ns)
{
    struct ifreq r = { .ifr_name = DEVICE };
    int fd;

    if (unshare(CLONE_NEWNET) < 0)
        die("make a network namespace");
    *ns = open("/proc/self/ns/net", O_RDONLY);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (*ns < 0 || fd < 0)
        die("/dev/net/tun");
    r.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(fd, TUNSETIFF, &r) < 0)
        die("make a TUN device");
    if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) < 0)
        die("let the device take large packets");
    configure(address);
    return fd;
}

/* ---- a packet ---- */

static uint8_t *start_of(struct packet *p)
{
    return p->bytes + PAD_BYTES;
}

static struct iphdr *ip_of(struct packet *p)
{
    return (void *)(start_of(p) + sizeof(struct virtio_net_hdr));
}

/* Bytes on a wire: each piece has headers of its own. */
static size_t wire_bytes(struct packet *p)
{
    const struct virtio_net_hdr *v = (const void *)start_of(p);
    size_t len = p->len - sizeof(*v), pieces = 1;

    if (v->gso_type != VIRTIO_NET_HDR_GSO_NONE && v->gso_size > 0 &&
        len > v->hdr_len)
        pieces = (len - v->hdr_len + v->gso_size - 1) / v->gso_size;
    return len + (pieces - 1) * v->hdr_len + pieces * ETHERNET_BYTES;
}

static uint32_t sum16(const void *data, size_t len, uint32_t sum)
{
    const uint8_t *p = data;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* TCP over IPv4 that carries data becomes a reset at the same place of the
 * stream.  False: it was none. */
static bool turn_into_reset(struct packet *p)
{
    struct iphdr *ip = ip_of(p);
    size_t ip_len = ip->ihl * 4U;
    struct tcphdr *tcp = (void *)((uint8_t *)ip + ip_len);
    uint32_t sum;

    if (ip->version != 4 || ip->protocol != IPPROTO_TCP ||
        ntohs(ip->tot_len) <= ip_len + tcp->doff * 4U)
        return false;
    memset(start_of(p), 0, sizeof(struct virtio_net_hdr));
    tcp->doff = sizeof(*tcp) / 4;
    tcp->rst = 1;
    tcp->psh = tcp->fin = 0;
    ip->tot_len = htons((uint16_t)(ip_len + sizeof(*tcp)));
    ip->check = 0;
    ip->check = folded(sum16(ip, ip_len, 0));
    tcp->check = 0;
    sum = sum16(&ip->saddr, 8, IPPROTO_TCP + sizeof(*tcp));
    tcp->check = folded(sum16(tcp, sizeof(*tcp), sum));
    p->len = sizeof(struct virtio_net_hdr) + ip_len + sizeof(*tcp);
    return true;
}

/* ---- a direction ---- */

/* Takes the packet (moved) in, or loses it. */
static void take_in(struct way *w, struct packet *p, const struct shape *shape,
                    uint64_t now_ns)
{
    uint64_t begin_ns = w->busy_ns;

    if (begin_ns + CREDIT_NS < now_ns)
        begin_ns = now_ns - CREDIT_NS;
    if (is_dead || begin_ns > now_ns + shape->queue_ns) {
        free(p);
        return;
    }
    w->busy_ns = begin_ns +
                 wire_bytes(p) * CLOCK_SECOND_NS / shape->bytes_per_second;
    p->due_ns = w->busy_ns + shape->delay_ns;
    p->next = NULL;
    *w->tail = p;
    w->tail = &p->next;
}

static void read_packets(struct way *w, const struct shape *shape,
                         bool may_reset)
{
    static uint8_t bytes[PACKET_MAX];

    for (unsigned i = 0; i < TURN_PACKETS; i++) {
        ssize_t n = read(w->from, bytes, sizeof(bytes));
        struct packet *p;

        if (n <= (ssize_t)sizeof(struct virtio_net_hdr))
            return;
        p = malloc(sizeof(*p) + PAD_BYTES + (size_t)n);
        if (!p)
            die("take a packet");
        p->len = (size_t)n;
        memcpy(start_of(p), bytes, p->len);
        if (may_reset && must_reset && turn_into_reset(p))
            must_reset = 0;
        take_in(w, p, shape, clock_now_ns());
    }
}

/* Hands over what is due; returns when the next one is. */
static uint64_t write_packets(struct way *w, uint64_t now_ns)
{
    struct packet *p;

    while ((p = w->head) && p->due_ns <= now_ns) {
        if (write(w->to, start_of(p), p->len) < 0 && errno == EAGAIN)
            return now_ns + CLOCK_MS_NS;
        w->head = p->next;
        if (!w->head)
            w->tail = &w->head;
        free(p);
    }
    return p ? p->due_ns : UINT64_MAX;
}

static void carry(struct way ways[2], const struct shape *shape)
{
    while (!must_stop) {
        struct pollfd fds[2] = { { .fd = ways[0].from, .events = POLLIN },
                                 { .fd = ways[1].from, .events = POLLIN } };
        uint64_t now_ns = clock_now_ns(), next_ns = now_ns + CLOCK_SECOND_NS;
        struct timespec wait;

        for (unsigned i = 0; i < 2; i++) {
            uint64_t due_ns = write_packets(&ways[i], now_ns);

            if (due_ns < next_ns)
                next_ns = due_ns;
        }
        now_ns = clock_now_ns();
        next_ns = next_ns > now_ns ? next_ns - now_ns : 0;
        wait.tv_sec = (time_t)(next_ns / CLOCK_SECOND_NS);
        wait.tv_nsec = (long)(next_ns % CLOCK_SECOND_NS);
        if (ppoll(fds, 2, &wait, NULL) <= 0)
            continue;
        for (unsigned i = 0; i < 2; i++)
            if (fds[i].revents & POLLIN)
                read_packets(&ways[i], shape, i == 0);
    }
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);

    if (*end != '\0' || n > 1000000) {
        fprintf(stderr, "bench-slow-link: not a number: %s\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal };
    const int signals[] = { SIGUSR1, SIGUSR2, SIGTERM, SIGINT };
    struct way ways[2] = { { .from = -1 }, { .from = -1 } };
    struct shape shape;
    int near_ns, far_ns;

    if (argc != 4 || number(argv[1]) == 0) {
        fprintf(stderr,
                "usage: bench-slow-link RATE_MBIT DELAY_MS QUEUE_KIB\n");
        return 2;
    }
    shape.bytes_per_second = number(argv[1]) * 125000;
    shape.delay_ns = number(argv[2]) * CLOCK_MS_NS;
    shape.queue_ns = number(argv[3]) * 1024 * CLOCK_SECOND_NS /
                     shape.bytes_per_second;
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    ways[0].from = ways[1].to = make_end("198.18.0.1", &near_ns);
    ways[1].from = ways[0].to = make_end("198.18.0.2", &far_ns);
    ways[0].tail = &ways[0].head;
    ways[1].tail = &ways[1].head;
    printf("ready /proc/%d/fd/%d /proc/%d/fd/%d\n", (int)getpid(), near_ns,
           (int)getpid(), far_ns);
    fflush(stdout);
    carry(ways, &shape);
    return 0;
}
