/* The limit every launcher is compared with: posix_spawn in a loop, waitpid, nothing else.
 *
 *   spawnloop AT COUNT WIDTH PROGRAM ARG...
 *
 * Sleeps until AT (nanoseconds since the epoch; 0: no sleep), starts COUNT processes with at most WIDTH living ones
 * (0: no bound), waits for all. Prints: seconds from the first start to the last end, CPU seconds of itself and them. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static void reap(void) {
    int status;
    if (waitpid(-1, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "spawnloop: a child ended with status %d\n", status);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long long at = atoll(argv[1]);
    long count = atol(argv[2]), width = atol(argv[3]), living = 0;
    if (at) {
        struct timespec due = {at / 1000000000LL, at % 1000000000LL};
        while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &due, NULL) == EINTR) {}
    }
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (long i = 0; i < count; i++) {
        if (width && living >= width) { reap(); living--; }
        pid_t pid;
        if (posix_spawn(&pid, argv[4], NULL, NULL, argv + 4, environ) != 0) { perror("posix_spawn"); return 1; }
        living++;
    }
    while (living--) reap();
    clock_gettime(CLOCK_MONOTONIC, &ended);
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    printf("%.6f %.6f\n", (ended.tv_sec - began.tv_sec) + (ended.tv_nsec - began.tv_nsec) / 1e9,
           seconds(self.ru_utime) + seconds(self.ru_stime) + seconds(children.ru_utime) + seconds(children.ru_stime));
    return 0;
}
