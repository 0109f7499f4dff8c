// A time of day that can be moved while a process runs: preloaded into it, this adds what the file EMBERGRID_TEST_CLOCK holds,
// nanoseconds as a signed number of 64 bits, to the clock of the kernel. The clocks that only count are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t still = 0;
static const volatile int64_t *offset = &still;
static int (*kernels_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  kernels_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("EMBERGRID_TEST_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) offset = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  // Somebody may ask before this has begun.
  if (kernels_clock ? kernels_clock(clock, now) : (int)syscall(SYS_clock_gettime, clock, now)) return -1;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    int64_t moved = now->tv_sec * SECOND + now->tv_nsec + *offset;
    now->tv_sec = moved / SECOND;
    now->tv_nsec = moved % SECOND;
  }
  return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
  (void)zone;
  struct timespec moved;
  clock_gettime(CLOCK_REALTIME, &moved);
  now->tv_sec = moved.tv_sec;
  now->tv_usec = moved.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec moved;
  clock_gettime(CLOCK_REALTIME, &moved);
  if (now) *now = moved.tv_sec;
  return moved.tv_sec;
}
