#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

// Glibc declares it for _GNU_SOURCE alone, without which Swift's Glibc module is built.
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
