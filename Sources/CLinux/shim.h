#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

// Glibc declares it for _GNU_SOURCE alone, without which Swift's Glibc module is built.
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

// prctl(2) takes a variable number of arguments, which Swift cannot call.
static inline int tastytokend_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
static inline int tastytokend_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
