// SPDX-License-Identifier: BSD-2-Clause
/* A conn of the gateway: the story its port's row tells, stage by stage. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/process.h"

#define HOLD_MAX_NS 20000000000ull /* nobody waits longer than this for the gateway to close */

static const char *const ending_names[] = {
	[END_KEEP] = "keep", [END_FIN] = "fin",	      [END_RST] = "rst",
	[END_HOLD] = "hold", [END_VANISH] = "vanish", [END_DIE] = "die",
};

void conn_watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events == c->events)
		return;
	c->events = events;
	epoll_ctl(c->port->backend->ep, EPOLL_CTL_MOD, c->link.fd, &ev);
}

static void conn_set(struct conn *c, enum stage stage, uint64_t due_ns)
{
	/* A backend busy with a request does not look at its socket: HUP and ERR still wake us. */
	static const uint32_t events[] = {
		[STAGE_READ] = EPOLLIN, [STAGE_ANSWER] = 0,	   [STAGE_SAY] = 0,
		[STAGE_END] = 0,	[STAGE_HOLD] = EPOLLRDHUP,
	};

	conn_watch(c, events[stage]);
	c->stage = stage;
	c->due_ns = due_ns;
}

void conn_free(struct conn *c)
{
	h2_free(c);
	link_close(&c->link);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
}

/* Leaves the standard files and these three, in any order, open. */
static void close_but(int a, int b, int c)
{
	unsigned from = STDERR_FILENO + 1, next;

	for (int i = 0; i < 3; i++) {
		next = UINT_MAX;
		for (int k = 0; k < 3; k++) {
			unsigned fd = (unsigned)(k == 0 ? a : k == 1 ? b : c);

			if (fd >= from && fd < next)
				next = fd;
		}
		if (next > from)
			syscall(SYS_close_range, from, next - 1, 0);
		from = next + 1;
	}
	syscall(SYS_close_range, from, UINT_MAX, 0);
}

/* The child: lets go of all but the conn, and dies when the parent has let go of that. */
static void die(const struct conn *c, int ready, int gone)
{
	const struct rlimit no_core = { 0 };
	char b = 0;

	close_but(c->link.fd, ready, gone);
	setrlimit(RLIMIT_CORE, &no_core);
	(void)!write(ready, &b, 1);
	(void)!read(gone, &b, 1); /* the end of the pipe */
	signal(c->port->mode->signal, SIG_DFL);
	kill(getpid(), c->port->mode->signal);
	_exit(1);
}

/* As a worker that dies with a request in its hands. While the child has our other files, none
 * may be closed here: epoll would go on telling of it. */
static void conn_die(struct conn *c)
{
	int ready[2], gone[2];
	char b;

	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	if (pipe2(ready, O_CLOEXEC) || pipe2(gone, O_CLOEXEC))
		return;
	if (!fork())
		die(c, ready[1], gone[0]);
	close(ready[1]);
	close(gone[0]);
	(void)!read(ready[0], &b, 1);
	close(ready[0]);
	epoll_ctl(c->port->backend->ep, EPOLL_CTL_DEL, c->link.fd, NULL);
	conn_free(c);
	close(gone[1]);
}

void conn_end(struct conn *c, enum ending how)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	const int on = 1;

	log_line(c, ending_names[how]);
	if (how == END_DIE) {
		conn_die(c);
		return;
	}
	/* Who closes without having read died of something, and says no goodbye. */
	if (how == END_FIN && !c->port->is_rude && !c->port->mode->unread)
		link_notify(&c->link);
	if (how == END_RST)
		setsockopt(c->link.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	if (how == END_VANISH) /* a socket under repair is closed without telling its peer */
		setsockopt(c->link.fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	conn_free(c);
}

static bool conn_send(struct conn *c, const char *data, size_t len)
{
	ssize_t n;

	do { /* TLS sends record by record */
		n = link_send(&c->link, data, len, false);
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	} while (n > 0 && len && c->link.ssl);
	if (n > 0 && !len)
		return true;
	log_line(c, "send-failed");
	return false;
}

static void conn_answer(struct conn *c)
{
	unsigned idle_ms = c->port->mode->idle_ms;
	char out[256];
	size_t len = answer_write(c, out, sizeof(out));

	if (!conn_send(c, out, len)) {
		conn_free(c);
		return;
	}
	c->id[0] = '\0';
	conn_set(c, STAGE_READ, idle_ms ? now_ns(CLOCK_MONOTONIC) + idle_ms * MS : 0);
}

/* Something is due: one step of the row's story. */
void conn_due(struct conn *c, uint64_t now)
{
	const struct mode *m = c->port->mode;
	size_t len = m->say_len ? m->say_len : m->say ? strlen(m->say) : 0;

	if (c->h2) {
		h2_due(c, now);
		return;
	}
	switch (c->stage) {
	case STAGE_ANSWER: conn_answer(c); return;
	case STAGE_SAY:
		if (m->say) {
			log_line(c, "say");
			if ((m->first_bytes && !conn_send(c, m->say, m->first_bytes)) ||
			    !conn_send(c, m->say + m->first_bytes, len - m->first_bytes)) {
				conn_free(c);
				return;
			}
		}
		if (m->ending == END_KEEP)
			conn_set(c, STAGE_READ, 0);
		else if (m->ending == END_HOLD)
			conn_set(c, STAGE_HOLD, now + HOLD_MAX_NS);
		else if (m->hold_ms)
			conn_set(c, STAGE_END, now + m->hold_ms * MS);
		else
			conn_end(c, m->ending);
		return;
	case STAGE_READ: /* idle for too long */
	case STAGE_END: conn_end(c, m->ending); return;
	case STAGE_HOLD: conn_end(c, END_RST); return;
	}
}

static void conn_schedule(struct conn *c, enum stage stage, unsigned ms)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	conn_set(c, stage, now + ms * MS);
	if (!ms)
		conn_due(c, now);
}

/* Returns false when there is nothing to do yet, or ever. */
static bool conn_handshake(struct conn *c)
{
	int err = link_handshake(&c->link);

	if (err == -EAGAIN)
		return false;
	if (err) {
		log_line(c, "tls-failed");
		conn_free(c);
		return false;
	}
	c->is_up = true;
	if (c->link.ssl)
		log_line(c, "tls");
	if (c->port->h2) {
		if (h2_open(c))
			h2_on_event(c);
		else
			conn_free(c);
		return false;
	}
	return !c->link.ssl; /* wait for a request */
}

/* A request is there, or as much of it as the mode wants. */
static void conn_request(struct conn *c, bool turn)
{
	const struct mode *m = c->port->mode;
	bool hello = m->takes_hello && is_hello(c);

	if (hello)
		c->id[0] = '\0';
	else
		request_take_id(c);
	c->nr++;
	log_line(c, hello ? "hello" : "request");
	c->len = 0; /* the gateway does not pipeline */
	if (hello && m->hello) {
		log_line(c, "say");
		conn_send(c, m->hello, ALERT_BYTES);
		conn_set(c, STAGE_END, now_ns(CLOCK_MONOTONIC) + m->hold_ms * MS);
	} else if (turn) {
		conn_schedule(c, STAGE_SAY, m->wait_ms);
	} else {
		conn_schedule(c, STAGE_ANSWER, c->nr == 1 ? m->first_ms : 0);
	}
}

/* Takes what can be read at once; returns true when there may be more in libssl's hands. */
static bool conn_read(struct conn *c, bool turn)
{
	const struct mode *m = c->port->mode;
	ssize_t n;

	if (c->len == sizeof(c->buf)) /* a long body: only its head is of interest */
		c->len = sizeof(c->buf) / 2;
	n = link_recv(&c->link, c->buf + c->len, sizeof(c->buf) - c->len);
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		log_line(c, n ? "peer-reset" : "peer-closed");
		conn_free(c);
		return false;
	}
	c->len += (size_t)n;
	if (!request_size(c) && !(turn && m->read_min && c->len >= m->read_min))
		return c->link.ssl;
	conn_request(c, turn);
	return false;
}

static void conn_readable(struct conn *c)
{
	const struct mode *m = c->port->mode;
	bool turn = m->nth && c->nr + 1 >= m->nth;

	if (!c->is_up && !conn_handshake(c))
		return;
	if (turn && m->unread) {
		c->nr++;
		log_line(c, "unread");
		conn_schedule(c, STAGE_SAY, m->wait_ms);
		return;
	}
	while (conn_read(c, turn))
		;
}

struct conn *conn_accept(struct port *p)
{
	struct sockaddr_in6 sa;
	socklen_t len = sizeof(sa);
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(p->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	if (fd < 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return NULL;
	}
	c->link.fd = fd;
	c->port = p;
	if (p->tls && link_secure(&c->link, p->tls, NULL)) {
		link_close(&c->link);
		free(c);
		return NULL;
	}
	if (p->path) /* a local peer has no address */
		sa = (struct sockaddr_in6){ 0 };
	c->peer_port = ntohs(sa.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&sa.sin6_addr))
		inet_ntop(AF_INET, sa.sin6_addr.s6_addr + 12, c->peer, sizeof(c->peer));
	else
		inet_ntop(AF_INET6, &sa.sin6_addr, c->peer, sizeof(c->peer));
	c->next = p->backend->conns;
	c->prev = &p->backend->conns;
	if (c->next)
		c->next->prev = &c->next;
	p->backend->conns = c;
	c->events = ev.events;
	ev.data.ptr = c;
	epoll_ctl(p->backend->ep, EPOLL_CTL_ADD, fd, &ev);
	log_line(c, "accept");
	return c;
}

void conn_on_event(struct conn *c)
{
	if (c->h2) {
		h2_on_event(c);
	} else if (c->stage == STAGE_READ) {
		conn_readable(c);
	} else {
		log_line(c, "peer-gone");
		conn_free(c);
	}
}
