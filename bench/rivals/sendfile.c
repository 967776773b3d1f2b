/*
 * The physical limit the benchmark measures against: one thread, epoll and sendfile, and nothing
 * else. It reads "READ /path\n" and answers "OK n size=n\n" and the file, as S6/1 does, for one
 * file after another on a connection, pipelined or not.
 * It never checks, logs, times out or reads ahead; it is no server to expose.
 * Each response is corked from head to last byte, and each connection that can take more gets one
 * step of STEP_BYTES in turn.  Usage: sendfile ROOT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STEP_BYTES = 1 << 20,
    EVENTS_MAX = 256,
    FILES_MAX = 64,
    FDS_MAX = 20000,
    LINE_BYTES_MAX = 4096,
};

struct file {
    char path[256];
    int fd;
    off_t size;
};

struct connection {
    char in[LINE_BYTES_MAX];
    int in_bytes;
    int in_full; /* 1 when the socket may hold input that no event will tell of again */
    char head[80];
    int head_bytes, head_sent;
    const struct file *file; /* NULL while a request is awaited */
    off_t offset;
    int turn; /* 1 while the socket can take more */
};

static struct file files[FILES_MAX];
static int file_count;
static struct connection *connections[FDS_MAX];
static int ready[FDS_MAX]; /* fds whose connection has turn == 1 */
static int ready_count;
static int root_fd;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static const struct file *open_cached(const char *path) {
    for (int i = 0; i < file_count; i++) {
        if (strcmp(files[i].path, path) == 0) return &files[i];
    }
    struct stat st;
    int fd = openat(root_fd, path + 1, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) return NULL;
    if (file_count == FILES_MAX || strlen(path) >= sizeof files[0].path) return NULL;
    struct file *file = &files[file_count++];
    strcpy(file->path, path);
    file->fd = fd;
    file->size = st.st_size;
    return file;
}

static void cork(int fd, int on) {
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* Reads what has come: 0 go on, -1 closed. What does not fit stays in the socket. */
static int take_input(int fd, struct connection *c) {
    c->in_full = 0;
    while (c->in_bytes < LINE_BYTES_MAX) {
        ssize_t n = recv(fd, c->in + c->in_bytes, LINE_BYTES_MAX - c->in_bytes, 0);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        if (n == 0) return -1;
        c->in_bytes += n;
    }
    c->in_full = 1;
    return 0;
}

/* Takes one request out of the input and prepares its head: 1 begun, 0 no line yet, -1 broken. */
static int begin(int fd, struct connection *c) {
    char *end = memchr(c->in, '\n', c->in_bytes);
    if (end == NULL && c->in_full) {
        if (c->in_bytes == LINE_BYTES_MAX || take_input(fd, c) < 0) return -1;
        end = memchr(c->in, '\n', c->in_bytes);
    }
    if (end == NULL) return 0;
    *end = 0;
    if (strncmp(c->in, "READ /", 6) != 0) return -1;
    const struct file *file = open_cached(c->in + 5);
    if (file == NULL) return -1;
    long long size = file->size;
    c->head_bytes = snprintf(c->head, sizeof c->head, "OK %lld size=%lld\n", size, size);
    c->head_sent = 0;
    c->file = file;
    c->offset = 0;
    c->in_bytes -= end + 1 - c->in;
    memmove(c->in, end + 1, c->in_bytes);
    cork(fd, 1);
    return 1;
}

/* 1 the head is out, 0 the socket is full, -1 broken. */
static int send_head(int fd, struct connection *c) {
    ssize_t n = send(fd, c->head + c->head_sent, c->head_bytes - c->head_sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    c->head_sent += n;
    return c->head_sent == c->head_bytes;
}

/* One turn: 1 wants another, 0 waits for the socket, -1 broken. */
static int step(int fd, struct connection *c) {
    if (c->file == NULL) {
        int begun = begin(fd, c);
        if (begun <= 0) return begun;
    }
    if (c->head_sent < c->head_bytes) {
        int sent = send_head(fd, c);
        if (sent <= 0) return sent;
    }
    if (c->offset < c->file->size) {
        ssize_t n = sendfile(fd, c->file->fd, &c->offset, STEP_BYTES);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        if (n == 0) return -1;
    }
    if (c->offset == c->file->size) {
        cork(fd, 0);
        c->file = NULL;
    }
    return 1;
}

static void drop(int fd) {
    struct connection *c = connections[fd];
    connections[fd] = NULL;
    for (int i = 0; c->turn && i < ready_count; i++) {
        if (ready[i] == fd) ready[i--] = ready[--ready_count];
    }
    free(c);
    close(fd);
}

static void accept_all(int listener, int epoll) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        if (fd >= FDS_MAX) fail("too many connections");
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd] = calloc(1, sizeof(struct connection));
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
        if (connections[fd] == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
            fail("accept");
        }
    }
}

static void handle(int fd, unsigned events) {
    struct connection *c = connections[fd];
    if (c == NULL) return;
    if ((events & ~EPOLLOUT) && take_input(fd, c) < 0) {
        drop(fd);
        return;
    }
    if (!c->turn) {
        c->turn = 1;
        ready[ready_count++] = fd;
    }
}

static int listen_loopback(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 512) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        fail("listen");
    }
    fprintf(stderr, "s6://127.0.0.1:%d/\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 2 || (root_fd = open(argv[1], O_DIRECTORY | O_CLOEXEC)) < 0) fail("usage: ROOT");
    signal(SIGPIPE, SIG_IGN);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_loopback();
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, ready_count > 0 ? 0 : -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) accept_all(listener, epoll);
            else handle(events[i].data.fd, events[i].events);
        }
        for (int i = 0; i < ready_count;) {
            int fd = ready[i];
            int more = step(fd, connections[fd]);
            if (more < 0) {
                drop(fd);
            } else if (more == 0) {
                connections[fd]->turn = 0;
                ready[i] = ready[--ready_count];
            } else {
                i++;
            }
        }
    }
}
