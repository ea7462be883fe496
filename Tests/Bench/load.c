// load: drives an SMTP server on the loopback address with persistent sessions, and says how fast it acknowledged.
//
//   load HOST:PORT SESSIONS MESSAGES OCTETS DOMAIN
//
// One thread, epoll. Each session sends its messages one after the other; MAIL, RCPT and DATA go in one write.
// Recipients are u0…u999@DOMAIN. Prints one line: acknowledged messages, seconds, messages a second, p50 and p99 in ms.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum step { GREETING, HELLO, MAIL, RCPT, DATA, CONTENT, QUIT, OVER };

struct session {
    int fd;
    enum step step;
    char in[4096];
    size_t have;
    const char *out;
    size_t left;
    char commands[512];
    double begun;
};

static struct sockaddr_in peer;
static char *content;
static size_t content_length;
static const char *domain;
static long wanted, started, acknowledged, refused;
static double *latency;
static int poller, alive;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void make_content(size_t octets) {
    const char *head = "From: <load@client.test>\r\nTo: <u@test>\r\nSubject: load\r\n\r\n";
    content = malloc(octets + 128);
    size_t at = strlen(head);
    memcpy(content, head, at);
    while (at < octets) {
        size_t line = octets - at < 72 ? octets - at : 72;
        memset(content + at, 'x', line);
        at += line;
        memcpy(content + at, "\r\n", 2);
        at += 2;
    }
    memcpy(content + at, ".\r\n", 3);
    content_length = at + 3;
}

static void finish(struct session *s) {
    close(s->fd);
    s->step = OVER;
    alive--;
}

static void flush(struct session *s) {
    while (s->left) {
        ssize_t n = send(s->fd, s->out, s->left, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) break;
            finish(s);
            return;
        }
        s->out += n;
        s->left -= n;
    }
    struct epoll_event e = {.events = EPOLLIN | (s->left ? EPOLLOUT : 0), .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &e);
}

static void say(struct session *s, const char *octets, size_t length, enum step next) {
    s->out = octets;
    s->left = length;
    s->step = next;
    flush(s);
}

static void next_message(struct session *s) {
    if (started >= wanted) {
        say(s, "QUIT\r\n", 6, QUIT);
        return;
    }
    long n = started++;
    s->begun = now();
    int length = snprintf(s->commands, sizeof s->commands,
        "MAIL FROM:<load@client.test>\r\nRCPT TO:<u%ld@%s>\r\nDATA\r\n", n % 1000, domain);
    say(s, s->commands, length, MAIL);
}

static void answered(struct session *s, int code) {
    switch (s->step) {
    case GREETING: say(s, "EHLO load.test\r\n", 16, HELLO); break;
    case HELLO: next_message(s); break;
    case MAIL: s->step = RCPT; break;
    case RCPT: s->step = DATA; break;
    case DATA:
        if (code == 354) say(s, content, content_length, CONTENT);
        else { refused++; next_message(s); }
        break;
    case CONTENT:
        if (code == 250) latency[acknowledged++] = now() - s->begun;
        else refused++;
        next_message(s);
        break;
    case QUIT:
    case OVER: finish(s); break;
    }
}

static void readable(struct session *s) {
    ssize_t n = recv(s->fd, s->in + s->have, sizeof s->in - s->have, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return;
        finish(s);
        return;
    }
    s->have += n;
    char *line = s->in, *end;
    while (s->step != OVER && (end = memchr(line, '\n', s->in + s->have - line))) {
        if (end - line >= 4 && line[3] != '-') answered(s, atoi(line));
        line = end + 1;
    }
    s->have = s->in + s->have - line;
    memmove(s->in, line, s->have);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    char host[64];
    int port;
    if (argc != 6 || sscanf(argv[1], "%63[^:]:%d", host, &port) != 2) {
        fprintf(stderr, "usage: load HOST:PORT SESSIONS MESSAGES OCTETS DOMAIN\n");
        return 2;
    }
    if (strncmp(host, "127.", 4)) {
        fprintf(stderr, "only loopback addresses are loaded\n");
        return 2;
    }
    int sessions = atoi(argv[2]);
    wanted = atol(argv[3]);
    make_content(strtoul(argv[4], NULL, 10));
    domain = argv[5];
    latency = calloc(wanted + 1, sizeof *latency);
    peer.sin_family = AF_INET;
    peer.sin_port = htons(port);
    inet_pton(AF_INET, host, &peer.sin_addr);
    poller = epoll_create1(0);
    struct session *all = calloc(sessions, sizeof *all);
    double start = now();
    for (int i = 0; i < sessions; i++) {
        struct session *s = all + i;
        s->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s->fd, (struct sockaddr *)&peer, sizeof peer)) die("connect");
        int one = 1;
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(s->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
        alive++;
    }
    struct epoll_event events[256];
    while (alive && now() - start < 120) {
        int n = epoll_wait(poller, events, 256, 1000);
        for (int i = 0; i < n; i++) {
            struct session *s = events[i].data.ptr;
            if (s->step != OVER && events[i].events & EPOLLOUT) flush(s);
            if (s->step != OVER && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(s);
        }
    }
    double took = now() - start;
    qsort(latency, acknowledged, sizeof *latency, ascending);
    printf("acknowledged=%ld refused=%ld seconds=%.3f rate=%.1f p50=%.2f p99=%.2f\n", acknowledged, refused, took,
        acknowledged / took, acknowledged ? latency[acknowledged / 2] * 1e3 : 0,
        acknowledged ? latency[acknowledged * 99 / 100] * 1e3 : 0);
    return acknowledged == wanted ? 0 : 1;
}
