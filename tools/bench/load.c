// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench-load: a fixed number of HTTP/1.1 requests over keep-alive connections, each sent
 * when the last answer on its connection has come (closed loop). Does as little as it can
 * per request, so that what is measured is the gateway and whoever watches it.
 *
 * bench-load IP PORT PATH CONNS REQUESTS [GAP_MS]   one line: what awk reads in run
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#define BUF_BYTES 4096

struct conn {
	int fd;
	size_t have; /* bytes of the answer so far */
	uint64_t sent_ns;
	char buf[BUF_BYTES];
};

struct load {
	struct sockaddr_in to;
	struct conn *conns;
	char req[512];
	size_t req_len, nconns;
	uint64_t wanted, sent, done, bad, gap_ns;
	uint32_t *took_us; /* one per answer */
	int epoll;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
	return 1;
}

static int conn_send(struct load *l, struct conn *c)
{
	if (l->sent == l->wanted)
		return 0;
	l->sent++;
	c->have = 0;
	c->sent_ns = now_ns();
	return send(c->fd, l->req, l->req_len, MSG_NOSIGNAL) == (ssize_t)l->req_len ? 0 : -EIO;
}

static int conn_open(struct load *l, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&l->to, sizeof(l->to)) ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev))
		return -errno;
	return 0;
}

/* Length of the whole answer, 0 while its head is not complete, -1 if it cannot be told. */
static ssize_t answer_len(struct conn *c)
{
	static const char field[] = "\r\nContent-Length:";
	char *end, *len;

	c->buf[c->have] = '\0';
	end = strstr(c->buf, "\r\n\r\n");
	if (!end)
		return 0;
	len = strstr(c->buf, field);
	if (!len || len > end)
		return -1;
	return end + 4 - c->buf + strtol(len + sizeof(field) - 1, NULL, 10);
}

static int conn_answered(struct load *l, struct conn *c)
{
	l->took_us[l->done++] = (uint32_t)((now_ns() - c->sent_ns) / 1000);
	l->bad += strncmp(c->buf, "HTTP/1.1 200 ", 13) != 0;
	if (l->gap_ns) {
		struct timespec ts = { .tv_sec = (time_t)(l->gap_ns / 1000000000),
				       .tv_nsec = (long)(l->gap_ns % 1000000000) };

		nanosleep(&ts, NULL); /* only with one connection: paces the failures */
	}
	return conn_send(l, c);
}

static int conn_read(struct load *l, struct conn *c)
{
	ssize_t n = recv(c->fd, c->buf + c->have, BUF_BYTES - 1 - c->have, 0), want;

	if (n <= 0)
		return -EIO;
	c->have += (size_t)n;
	want = answer_len(c);
	if (want < 0 || (size_t)want > BUF_BYTES - 1 || (want && c->have > (size_t)want))
		return -EBADMSG;
	return want && c->have == (size_t)want ? conn_answered(l, c) : 0;
}

static int load_run(struct load *l)
{
	struct epoll_event ev[64];

	for (size_t i = 0; i < l->nconns; i++)
		if (conn_open(l, &l->conns[i]) || conn_send(l, &l->conns[i]))
			return fail("connect");
	while (l->done < l->wanted) {
		int n = epoll_wait(l->epoll, ev, 64, 10000);

		if (!n) {
			errno = ETIMEDOUT;
			return fail("waiting for answers");
		}
		for (int i = 0; i < n; i++) {
			int err = conn_read(l, ev[i].data.ptr);

			if (err) {
				errno = -err;
				return fail("reading an answer");
			}
		}
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct load l = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	uint64_t start;

	if (argc < 6) {
		fprintf(stderr, "usage: bench-load IP PORT PATH CONNS REQUESTS [GAP_MS]\n");
		return 2;
	}
	l.to.sin_family = AF_INET;
	l.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	l.nconns = strtoul(argv[4], NULL, 10);
	l.wanted = strtoull(argv[5], NULL, 10);
	l.gap_ns = argc > 6 ? strtoull(argv[6], NULL, 10) * 1000000 : 0;
	l.req_len = (size_t)snprintf(l.req, sizeof(l.req),
				     "GET %s HTTP/1.1\r\nHost: bench.example\r\n"
				     "User-Agent: bench-load\r\nAccept: */*\r\n\r\n",
				     argv[3]);
	l.conns = calloc(l.nconns ? l.nconns : 1, sizeof(*l.conns));
	l.took_us = calloc(l.wanted + 1, sizeof(*l.took_us));
	if (inet_pton(AF_INET, argv[1], &l.to.sin_addr) != 1 || !l.nconns || !l.wanted ||
	    l.req_len >= sizeof(l.req) || !l.conns || !l.took_us) {
		fprintf(stderr, "bench-load: bad arguments\n");
		return 2;
	}
	start = now_ns();
	if (load_run(&l))
		return 1;
	start = (now_ns() - start) / 1000;
	qsort(l.took_us, l.done, sizeof(*l.took_us), by_value);
	printf("%llu %llu %llu %u %u\n", (unsigned long long)l.done, (unsigned long long)l.bad,
	       (unsigned long long)start, l.took_us[l.done / 2], l.took_us[l.done * 99 / 100]);
	return 0;
}
