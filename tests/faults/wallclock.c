/* The wall clock of a process under test. Preloaded, it answers for CLOCK_REALTIME from a file that the test writes,
 * and turns absolute timers of that clock into real ones. The monotonic clocks stay the machine's: as when somebody
 * sets the clock, and unlike libfaketime, which moves them along or makes sleeps fail.
 *
 * Built and driven by tests/faults/wallclock.py. The file: two 64-bit numbers, a counter that is odd while the
 * other is being written, and the nanoseconds to add to the real time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static struct { _Atomic int64_t counter; _Atomic int64_t offset; } *shared;

__attribute__((constructor)) static void open_shared(void)
{
    const char *path = getenv("WALLCLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *place = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (place != MAP_FAILED)
        shared = place;
}

static int64_t offset(void)
{
    int64_t before, value;
    if (!shared)
        return 0;
    do {
        before = atomic_load(&shared->counter);
        value = atomic_load(&shared->offset);
    } while (before % 2 || before != atomic_load(&shared->counter));
    return value;
}

static int64_t nanoseconds(const struct timespec *at) { return at->tv_sec * SECOND + at->tv_nsec; }

static void set(struct timespec *at, int64_t to)
{
    at->tv_sec = to / SECOND;
    at->tv_nsec = to % SECOND;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int result = syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        set(at, nanoseconds(at) + offset());
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *old)
{
    struct itimerspec real = *wanted;
    /* Absolute and after 2001: the wall clock's. Centuries ahead: armed for the notice of clock steps only. */
    if (flags & TFD_TIMER_ABSTIME && wanted->it_value.tv_sec > 1000000000 && wanted->it_value.tv_sec < 9000000000) {
        int64_t at = nanoseconds(&wanted->it_value) - offset();
        set(&real.it_value, at > 0 ? at : 1);
    }
    return syscall(SYS_timerfd_settime, fd, flags, &real, old);
}
