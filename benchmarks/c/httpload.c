/* A load generator for loopback: keep-alive GETs over several connections, one request in flight on each.
 *
 *   httpload PORT PATH CONNECTIONS SECONDS
 *
 * Prints: requests, seconds, p50 and p99 latency in microseconds, bytes, answers that were not 200.
 * Understands what the servers measured send: HTTP/1.1 with Content-Length. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 20)
#define SAMPLES (1 << 20)
struct connection { int fd; long have, total; double asked; char *data; };

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static int by_value(const void *a, const void *b) { float x = *(float *)a, y = *(float *)b; return (x > y) - (x < y); }
static char request[1024];
static size_t request_length;

static void ask(struct connection *c) {
    c->have = 0; c->total = -1; c->asked = now();
    if (write(c->fd, request, request_length) != (ssize_t)request_length) { perror("httpload: write"); exit(1); }
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int count = atoi(argv[3]), epoll = epoll_create1(0), bad = 0;
    request_length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n", argv[2], argv[1]);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct connection *all = calloc(count, sizeof *all);
    float *samples = malloc(SAMPLES * sizeof *samples);
    for (int i = 0; i < count; i++) {
        int one = 1;
        all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        all[i].data = malloc(BUFFER + 1);
        if (connect(all[i].fd, (struct sockaddr *)&to, sizeof to) != 0) { perror("httpload: connect"); return 1; }
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    double began = now(), end = began + atof(argv[4]), at = began;
    long done = 0;
    long long bytes = 0;
    for (int i = 0; i < count; i++) ask(&all[i]);
    while (at < end) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            /* The head is kept; of a long body only the length matters. */
            long room = BUFFER - c->have, keep = c->total < 0 ? room : BUFFER / 2;
            char *into = c->total < 0 ? c->data + c->have : c->data + BUFFER / 2;
            ssize_t n = read(c->fd, into, keep);
            if (n <= 0) { fprintf(stderr, "httpload: the server hung up\n"); return 1; }
            c->have += n; bytes += n;
            if (c->total < 0) {
                c->data[c->have] = 0;
                char *body = strstr(c->data, "\r\n\r\n"), *length = strcasestr(c->data, "\r\ncontent-length:");
                if (body && length) c->total = body + 4 - c->data + atol(length + 17);
                else if (body) { fprintf(stderr, "httpload: no content-length\n"); return 1; }
                if (body && strncmp(c->data + 9, "200", 3) != 0) bad++;
            }
            if (c->total >= 0 && c->have >= c->total) {
                at = now();
                if (done < SAMPLES) samples[done] = (at - c->asked) * 1e6;
                done++;
                if (at < end) ask(c);
            }
        }
        at = now();
    }
    long kept = done < SAMPLES ? done : SAMPLES;
    qsort(samples, kept, sizeof *samples, by_value);
    printf("%ld %.6f %.1f %.1f %lld %d\n", done, at - began, kept ? samples[kept / 2] : 0,
           kept ? samples[kept - 1 - kept / 100] : 0, bytes, bad);
    return 0;
}
