/* Faults on demand, for the tests: loaded before the C library, it lets one file or directory fail.
 * FAULT_PATH: how the path ends, or what it holds for the kind `enospc`. FAULT_KIND: what happens. FAULT_LOG: a file made when it happened;
 * with `.next` behind it, what a file is replaced by, with `.go`, what the kind `wait` waits for. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int calls;

static int is_kind(const char *kind)
{
    const char *wanted = getenv("FAULT_KIND");
    return wanted && strcmp(wanted, kind) == 0;
}

static void note(void)
{
    int log = open(getenv("FAULT_LOG"), O_CREAT | O_WRONLY, 0600);
    if (log >= 0)
        close(log);
}

static int is_target(int fd, char *path)
{
    const char *want = getenv("FAULT_PATH");
    char link[64];
    if (!want || fd < 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0)
        return 0;
    path[length] = 0;
    size_t wanted = strlen(want);
    if ((size_t)length < wanted)
        return 0;
    /* Names of temporary files end at random. */
    if (!(is_kind("enospc") ? strstr(path, want) != NULL : strcmp(path + length - wanted, want) == 0))
        return 0;
    note();
    return 1;
}

static int is_threaded(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
}

/* What happens at the first use of the file, be it a read or a map. */
static void change(const char *path)
{
    struct stat found;
    if (is_kind("wait")) {
        char go[4200];
        snprintf(go, sizeof go, "%s.go", getenv("FAULT_LOG"));
        for (int wait = 0; access(go, F_OK) != 0 && wait < 24000; wait++)
            usleep(5000);
    }
    if (is_kind("empty"))
        (void)!truncate(path, 0);
    if (is_kind("truncate") && stat(path, &found) == 0)
        (void)!truncate(path, found.st_size / 2);
    if (is_kind("grow")) {
        int fd = open(path, O_WRONLY | O_APPEND);
        (void)!write(fd, "more and more", 13);
        close(fd);
    }
    if (is_kind("remove"))
        unlink(path);
    if (is_kind("replace")) {
        char other[4200];
        snprintf(other, sizeof other, "%s.next", getenv("FAULT_LOG"));
        rename(other, path);
    }
}

ssize_t read(int fd, void *buffer, size_t count)
{
    static ssize_t (*real)(int, void *, size_t);
    char path[4096];
    if (!real)
        real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (is_target(fd, path)) {
        int call = calls++;
        if (is_kind("eio")) {
            if (call == 0)
                return real(fd, buffer, count < 7 ? count : 7);
            errno = EIO;
            return -1;
        }
        if (is_kind("eintr") && call == 0) {
            errno = EINTR;
            return -1;
        }
        if (is_kind("short") && count > 3)
            return real(fd, buffer, 3);
        if (call == 0)
            change(path);
    }
    return real(fd, buffer, count);
}

__attribute__((noinline)) static int is_full(int fd)
{
    char path[4096];
    return is_target(fd, path);
}

/* A disk that is full after half of what is written first. Handlers of signals write too, on a small stack. */
ssize_t write(int fd, const void *buffer, size_t count)
{
    if (is_kind("enospc") && is_full(fd)) {
        if (calls++ > 0) {
            errno = ENOSPC;
            return -1;
        }
        count /= 2;
    }
    return syscall(SYS_write, fd, buffer, count);
}

static void *map(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off64_t);
    char path[4096];
    if (!real)
        real = (void *(*)(void *, size_t, int, int, int, off64_t))dlsym(RTLD_NEXT, "mmap64");
    if (fd >= 0 && is_target(fd, path)) {
        if (is_kind("eio")) {
            errno = EIO;
            return MAP_FAILED;
        }
        void *mapped = real(at, length, protection, flags, fd, offset);
        if (calls++ == 0)
            change(path);
        return mapped;
    }
    return real(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return map(at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return map(at, length, protection, flags, fd, offset);
}

/* Where pages have no length, a thread that maps a file divides by it and panics. The first thread is told the truth,
 * once another was not: what maps files remembers the answer. */
long sysconf(int name)
{
    static long (*real)(int);
    if (!real)
        real = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
    if (name != _SC_PAGESIZE || !is_kind("pages"))
        return real(name);
    if (syscall(SYS_gettid) != getpid()) {
        note();
        return 0;
    }
    if (is_threaded())
        for (int wait = 0; access(getenv("FAULT_LOG"), F_OK) != 0 && wait < 400; wait++)
            usleep(5000);
    return real(name);
}

struct dirent64 *readdir64(DIR *dir)
{
    static struct dirent64 *(*real)(DIR *);
    char path[4096];
    if (!real)
        real = (struct dirent64 * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");
    if (is_kind("eio") && is_target(dirfd(dir), path)) {
        errno = EIO;
        return NULL;
    }
    return real(dir);
}
