/* A disk that takes FLUSH_SECONDS to flush, or as long as it does if that is longer. LD_PRELOAD puts it before the C
   library of a process. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LATE 0.0003 /* how late a sleep may end, in seconds */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int flush_slowly(const char *name, int file)
{
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    double end = now() + atof(getenv("FLUSH_SECONDS"));
    int result = flush(file);
    double left = end - now() - LATE;
    if (left > 0)
        usleep(left * 1e6);
    while (now() < end)
        ;
    return result;
}

int fsync(int file) { return flush_slowly("fsync", file); }

int fdatasync(int file) { return flush_slowly("fdatasync", file); }
