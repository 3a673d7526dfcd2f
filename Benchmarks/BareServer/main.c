// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors

// The least that any server of this kind must do: one epoll loop that reads what came, looks whether a request ends
// there, and writes a reply made beforehand. `bare-server SOCKET BYTES`; it runs until it is killed.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char reply[65536];

static int listening(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    return listen(descriptor, 1024) == 0 ? descriptor : -1;
}

// Fills `reply` up to that many bytes in all; gives its length.
static size_t make_reply(size_t bytes) {
    const size_t head = 64;
    size_t body = bytes > head ? bytes - head : 1;
    if (body > sizeof reply - head) body = sizeof reply - head;
    int length = snprintf(reply, head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);
    memset(reply + length, 'x', body);
    return (size_t)length + body;
}

static void watch(int poll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
}

static void answer(int descriptor, size_t length) {
    char request[4096];
    ssize_t received = read(descriptor, request, sizeof request);
    if (received <= 0) {
        if (received == 0 || errno != EAGAIN) close(descriptor);
        return;
    }
    if (received >= 4 && memcmp(request + received - 4, "\r\n\r\n", 4) == 0) {
        if (send(descriptor, reply, length, MSG_NOSIGNAL) != (ssize_t)length) close(descriptor);
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: bare-server SOCKET BYTES\n");
        return 64;
    }
    size_t length = make_reply(strtoul(arguments[2], NULL, 10));
    int listener = listening(arguments[1]);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || poll < 0) {
        perror("bare-server");
        return 69;
    }
    watch(poll, listener);
    struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) {
                int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (accepted >= 0) watch(poll, accepted);
            } else {
                answer(events[i].data.fd, length);
            }
        }
    }
}
