// SPDX-License-Identifier: BSD-2-Clause
/* A port: its mode by name, its socket, its queue. */
#include "backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/tcp.h>

#include "../common/process.h"

/* What stands before the mode of a port. */
static const struct prefix {
	const char *text;
	bool tls, is_rude, h2;
} prefixes[] = {
	{ .text = "tls+", .tls = true },
	{ .text = "tls-rude+", .tls = true, .is_rude = true },
	{ .text = "h2+", .h2 = true },
	{ .text = "tls-h2+", .tls = true, .h2 = true },
};

static int port_tls(struct port *p, bool h2)
{
	struct backend *b = p->backend;
	struct ssl_ctx_st **tls = &b->tls[h2];

	if (!*tls && b->cert && b->key)
		*tls = tls_server(h2 ? "h2" : "http/1.1", b->cert, b->key);
	p->tls = *tls;
	return p->tls ? 0 : -ENOKEY;
}

int port_parse(struct port *p, char *arg)
{
	char *mode;
	unsigned long number = strtoul(arg, &mode, 10);
	const struct prefix *x = NULL;

	if (*arg == '/') {
		mode = arg + strcspn(arg, ":");
		p->path = arg;
	}
	if (*mode != ':' || (!p->path && (number == 0 || number > 65535)))
		return -EINVAL;
	*mode++ = '\0';
	p->number = (uint16_t)number;
	p->name = mode;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]) && !x; i++)
		if (!strncmp(mode, prefixes[i].text, strlen(prefixes[i].text)))
			x = &prefixes[i];
	mode += x ? strlen(x->text) : 0;
	if (x && x->h2)
		p->h2 = h2_mode_find(mode);
	p->mode = mode_find(x && x->h2 ? "ok" : mode);
	if (!p->mode || (x && x->h2 && !p->h2))
		return -ENOENT;
	p->is_rude = x && x->is_rude;
	return x && x->tls ? port_tls(p, x->h2) : 0;
}

static unsigned waits(const struct mode *m)
{
	return m->accept_ms ? m->accept_ms : m->accept_every_ms;
}

/* Did its request wait in the queue while the gateway still waited for the answer? One that the
 * queue had no room for comes in later, and the gateway's FIN a round trip after it. */
static bool was_queued(const struct conn *c)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(c->link.fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return false;
	return info.tcpi_state == TCP_CLOSE || /* reset: what came before that is still here */
	       info.tcpi_last_data_recv > info.tcpi_last_ack_recv + 300;
}

static struct conn *port_take(struct port *p)
{
	struct conn *c = conn_accept(p);
	ssize_t n;

	if (!c)
		return NULL;
	n = recv(c->link.fd, c->buf, sizeof(c->buf), MSG_DONTWAIT | MSG_PEEK);
	c->len = n > 0 ? (size_t)n : 0;
	request_take_id(c);
	log_line(c, was_queued(c) ? "queued" : "taken");
	c->len = 0;
	return c;
}

/* One more of a port that accepts slowly. The queue of a port that never accepts: log whose
 * request waited in it, and drop them. */
void port_drain(struct port *p)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = p };
	struct conn *c;

	p->due_ns = 0;
	if (p->mode->accept_every_ms)
		port_take(p);
	while (p->mode->accept_ms && (c = port_take(p)))
		conn_free(c);
	epoll_ctl(p->backend->ep, EPOLL_CTL_MOD, p->fd, &ev);
}

void port_on_event(struct port *p)
{
	if (waits(p->mode)) {
		p->due_ns = now_ns(CLOCK_MONOTONIC) + waits(p->mode) * MS;
		return;
	}
	while (conn_accept(p))
		;
}

static int tcp_listen(const struct port *p, int backlog)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(p->number) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (p->mode->rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->mode->rcvbuf, sizeof(int));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, backlog))
		return -errno;
	return fd;
}

int port_open(struct port *p)
{
	struct epoll_event ev = { .events = EPOLLIN | (waits(p->mode) ? EPOLLONESHOT : 0),
				  .data.ptr = p };
	int backlog = p->mode->backlog ? p->mode->backlog : 1024;

	p->fd = p->path ? local_listen(p->path, backlog, 0666) : tcp_listen(p, backlog);
	if (p->fd < 0)
		return p->fd;
	return epoll_ctl(p->backend->ep, EPOLL_CTL_ADD, p->fd, &ev) ? -errno : 0;
}
