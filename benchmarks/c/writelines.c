/* Writes MEGABYTES of 100-byte lines to stdout through a 64 KiB buffer: the job of the capture figures. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char buffer[65500];
    if (argc < 2) return 2;
    memset(buffer, 'x', sizeof buffer);
    for (size_t i = 99; i < sizeof buffer; i += 100) buffer[i] = '\n';
    long long left = atoll(argv[1]) * 1000000LL;
    while (left > 0) {
        size_t want = left < (long long)sizeof buffer ? (size_t)left : sizeof buffer, done = 0;
        while (done < want) {
            ssize_t n = write(1, buffer + done, want - done);
            if (n <= 0) return 1;
            done += n;
        }
        left -= want;
    }
    return 0;
}
