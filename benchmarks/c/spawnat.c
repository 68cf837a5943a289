/* A plain spawn at given instants: the floor of one job's lateness.
 *
 *   spawnat FIRST STEP COUNT PROGRAM ARG...
 *
 * Starts the program at FIRST, FIRST + STEP, ... (nanoseconds since the epoch), reaping between. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long long at = atoll(argv[1]), step = atoll(argv[2]);
    for (long i = 0, count = atol(argv[3]); i < count; i++, at += step) {
        struct timespec due = {at / 1000000000LL, at % 1000000000LL};
        while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &due, NULL) == EINTR) {}
        pid_t pid;
        if (posix_spawn(&pid, argv[4], NULL, NULL, argv + 4, environ) != 0) { perror("posix_spawn"); return 1; }
        waitpid(pid, NULL, 0);
    }
    return 0;
}
