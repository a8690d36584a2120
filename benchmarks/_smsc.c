/* A carrier that does as little as a carrier can: it answers every submit_sm, and sends one receipt for it later.
 * No receipt leaves while the counter HOLD is set; one that is refused comes again after AGAIN.
 *
 * It is there to be faster than whatever is measured against it. It shares no code with the gateways, keeps nothing,
 * checks nothing, and knows one kind of bind. benchmarks/_smsc.py does the same where there is no C compiler.
 *
 * usage: smsc COUNTERS RECEIPT_DELAY_MS      prints its port; the counters are described in benchmarks/_carrier.py
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BOUND, SUBMITTED, TOLD, ACKNOWLEDGED, FIRST_SUBMIT, LAST_ACKNOWLEDGED, LAST_SUBMIT, HOLD, COUNTERS };
enum { SUBMIT_SM = 4, DELIVER_SM = 5, UNBIND = 6, ENQUIRE_LINK = 0x15 };
#define RESPONSE 0x80000000u
#define INPUT (1 << 20)
/* octets that a client may leave unread before nothing more is taken from it */
#define UNREAD_MOST (8u << 20)
#define ADDRESS 24
#define AGAIN 1000000000u
/* receipts that a client may leave unanswered; a power of two */
#define UNANSWERED_MOST (1u << 16)

struct receipt {
    uint64_t due, id;
    char source[ADDRESS], destination[ADDRESS];
};

struct ring {
    struct receipt *all;
    size_t first, count, room;
};

struct client {
    int fd, writable;
    uint32_t sequence, answered;
    size_t in, out_from, out_to, out_room;
    unsigned char *input, *output;
    struct ring waiting, refused;
    /* by its sequence number */
    struct receipt *told;
};

static volatile uint64_t *counters;
static uint64_t delay, next_id = 1000000000u;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static unsigned char *reserve(struct client *c, size_t length) {
    if (c->out_from == c->out_to) c->out_from = c->out_to = 0;
    if (c->out_to + length > c->out_room) {
        memmove(c->output, c->output + c->out_from, c->out_to - c->out_from);
        c->out_to -= c->out_from;
        c->out_from = 0;
        while (c->out_to + length > c->out_room) c->out_room *= 2;
        if (!(c->output = realloc(c->output, c->out_room))) fail("memory");
    }
    unsigned char *place = c->output + c->out_to;
    c->out_to += length;
    return place;
}

static uint32_t word(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

static void head(unsigned char *at, uint32_t length, uint32_t command, uint32_t sequence) {
    uint32_t words[4] = {htonl(length), htonl(command), 0, htonl(sequence)};
    memcpy(at, words, 16);
}

static void answer(struct client *c, uint32_t command, uint32_t sequence, const char *text) {
    uint32_t length = 16 + (text ? (uint32_t)strlen(text) + 1 : 0);
    unsigned char *at = reserve(c, length);
    head(at, length, command | RESPONSE, sequence);
    if (text) memcpy(at + 16, text, length - 16);
}

static void digits(char *at, uint64_t value) {
    for (int i = 9; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
}

/* the place of one more */
static struct receipt *behind(struct ring *ring) {
    if (ring->count == ring->room) {
        size_t grown = ring->room ? ring->room * 2 : 1 << 12;
        struct receipt *more = malloc(grown * sizeof *more);
        if (!more) fail("memory");
        for (size_t i = 0; i < ring->count; i++) more[i] = ring->all[(ring->first + i) % ring->room];
        free(ring->all);
        ring->all = more, ring->first = 0, ring->room = grown;
    }
    return &ring->all[(ring->first + ring->count++) % ring->room];
}

static uint64_t due(const struct ring *ring) {
    return ring->count ? ring->all[ring->first].due : UINT64_MAX;
}

static void submitted(struct client *c, const unsigned char *pdu, uint32_t sequence) {
    char id[11] = {0};
    digits(id, next_id);
    answer(c, SUBMIT_SM, sequence, id);
    struct receipt *r = behind(&c->waiting);
    r->due = now() + delay;
    r->id = next_id++;
    /* service_type, then type, plan and address of either side */
    const char *from = (const char *)pdu + 16 + strlen((const char *)pdu + 16) + 1 + 2;
    const char *to = from + strlen(from) + 1 + 2;
    snprintf(r->source, ADDRESS, "%s", from);
    snprintf(r->destination, ADDRESS, "%s", to);
    if (!counters[SUBMITTED]) counters[FIRST_SUBMIT] = now();
    counters[SUBMITTED]++;
    counters[LAST_SUBMIT] = r->due - delay;
}

static void write_down(struct client *c, const struct receipt *r) {
    static const char text[] =
        "id:0000000000 sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000 text:";
    static const unsigned char rest[] = {4, 0, 0, 0, 0, 0, 0, 0, 0};
    /* message_state, receipted_message_id */
    static const unsigned char state[] = {0x04, 0x27, 0, 1, 2, 0x00, 0x1e, 0, 11};
    size_t to = strlen(r->destination) + 1, from = strlen(r->source) + 1, says = sizeof text - 1;
    uint32_t length = (uint32_t)(16 + 1 + 2 + to + 2 + from + sizeof rest + 1 + says + sizeof state + 11);
    unsigned char *at = reserve(c, length);
    head(at, length, DELIVER_SM, c->sequence);
    at += 16;
    *at++ = 0, *at++ = 1, *at++ = 1;
    memcpy(at, r->destination, to), at += to;
    *at++ = 0, *at++ = 0;
    memcpy(at, r->source, from), at += from;
    memcpy(at, rest, sizeof rest), at += sizeof rest;
    *at++ = (unsigned char)says;
    memcpy(at, text, says);
    digits((char *)at + 3, r->id);
    at += says;
    memcpy(at, state, sizeof state), at += sizeof state;
    digits((char *)at, r->id);
    at[10] = 0;
}

static void tell(struct client *c, struct ring *ring, uint64_t until) {
    while (due(ring) <= until && !counters[HOLD] && c->out_to - c->out_from < UNREAD_MOST &&
           c->sequence - c->answered < UNANSWERED_MOST) {
        struct receipt *r = &c->told[++c->sequence % UNANSWERED_MOST];
        *r = ring->all[ring->first];
        write_down(c, r);
        ring->first = (ring->first + 1) % ring->room;
        ring->count--;
        counters[TOLD]++;
    }
}

static void answered(struct client *c, uint32_t status, uint32_t sequence) {
    c->answered++;
    if (status) {
        struct receipt *r = behind(&c->refused);
        *r = c->told[sequence % UNANSWERED_MOST];
        r->due = now() + AGAIN;
        return;
    }
    counters[LAST_ACKNOWLEDGED] = now();
    counters[ACKNOWLEDGED]++;
}

static void heard(struct client *c, const unsigned char *pdu) {
    uint32_t command = word(pdu + 4), sequence = word(pdu + 12);
    switch (command) {
    case SUBMIT_SM: submitted(c, pdu, sequence); break;
    case DELIVER_SM | RESPONSE: answered(c, word(pdu + 8), sequence); break;
    case 1: case 2: case 9:
        answer(c, command, sequence, "lean");
        counters[BOUND]++;
        break;
    case UNBIND: case ENQUIRE_LINK: answer(c, command, sequence, NULL); break;
    default: break;
    }
}

/* whether the client is still there */
static int take_in(struct client *c) {
    ssize_t got = read(c->fd, c->input + c->in, INPUT - c->in);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return 0;
    if (got < 0) return 1;
    size_t at = 0, end = c->in + (size_t)got;
    while (end - at >= 16) {
        uint32_t length = word(c->input + at);
        if (length < 16 || length > 65536) return 0;
        if (end - at < length) break;
        heard(c, c->input + at);
        at += length;
    }
    memmove(c->input, c->input + at, end - at);
    c->in = end - at;
    return 1;
}

static int put_out(struct client *c) {
    while (c->out_from < c->out_to) {
        ssize_t put = send(c->fd, c->output + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);
        if (put < 0) return errno == EAGAIN;
        c->out_from += (size_t)put;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int file = open(argv[1], O_RDWR), one = 1;
    counters = mmap(NULL, COUNTERS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || counters == MAP_FAILED) fail(argv[1]);
    delay = (uint64_t)(atof(argv[2]) * 1e6);
    int door = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(door, (struct sockaddr *)&address, size) || listen(door, 64)) fail("port");
    getsockname(door, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL}, found[64];
    epoll_ctl(poll, EPOLL_CTL_ADD, door, &wanted);
    static struct client *clients[64];
    int known = 0;
    for (;;) {
        uint64_t next = UINT64_MAX, at = now();
        for (int i = 0; i < known; i++) {
            const struct client *c = clients[i];
            /* whoever must read or answer first is waited for */
            if (c->writable || c->sequence - c->answered >= UNANSWERED_MOST) continue;
            if (due(&c->waiting) < next) next = due(&c->waiting);
            if (due(&c->refused) < next) next = due(&c->refused);
        }
        int wait = next == UINT64_MAX ? 1000 : next <= at ? 0 : (int)((next - at) / 1000000u) + 1;
        if (counters[HOLD] && wait < 10) wait = 10;
        int events = epoll_wait(poll, found, 64, wait);
        for (int i = 0; i < events; i++) {
            struct client *c = found[i].data.ptr;
            if (!c) {
                int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK);
                if (fd < 0 || known == 64) continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                c = calloc(1, sizeof *c);
                c->fd = fd, c->out_room = 1 << 16;
                c->input = malloc(INPUT), c->output = malloc(c->out_room);
                c->told = malloc(UNANSWERED_MOST * sizeof *c->told);
                if (!c->input || !c->output || !c->told) fail("memory");
                clients[known++] = c;
                wanted.events = EPOLLIN, wanted.data.ptr = c;
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted);
                continue;
            }
            if ((found[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !take_in(c)) {
                close(c->fd);
                c->fd = -1;
            }
        }
        at = now();
        for (int i = 0; i < known; i++) {
            struct client *c = clients[i];
            if (c->fd >= 0) tell(c, &c->refused, at), tell(c, &c->waiting, at);
            if (c->fd >= 0 && !put_out(c)) close(c->fd), c->fd = -1;
            if (c->fd < 0) {
                free(c->input), free(c->output), free(c->told);
                free(c->waiting.all), free(c->refused.all), free(c);
                clients[i--] = clients[--known];
                continue;
            }
            size_t left = c->out_to - c->out_from;
            int writable = left > 0;
            /* who reads nothing is not read from */
            wanted.events = (left < UNREAD_MOST ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0), wanted.data.ptr = c;
            if (writable || c->writable) epoll_ctl(poll, EPOLL_CTL_MOD, c->fd, &wanted);
            c->writable = writable;
        }
    }
}
