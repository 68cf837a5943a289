/* The job of the lateness figures: append "TAG NANOSECONDS" (CLOCK_REALTIME at the first instruction of main) to LOG.
 * One write to an O_APPEND file of less than a page: lines of concurrent jobs never mix. Static, so that it is exec and
 * nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (argc < 2) return 2;
    int log = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (log < 0) return 3;
    char line[160];
    int length = snprintf(line, sizeof line, "%.96s %lld\n", argc > 2 ? argv[2] : "-",
                          (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    return write(log, line, length) == length ? 0 : 4;
}
