// SPDX-License-Identifier: BSD-2-Clause
/* Conns to the gateway, the pool of their lanes, and what became of each request. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../common/process.h"

/* A gateway a moment late must not be buried under handshakes, one for each request. */
#define RISING_MAX   8
#define STUCK_NS     (20 * SEC)
#define POST_PERCENT 30

struct conn *conn_open(struct load *load, bool own)
{
	struct epoll_event ev = { .events = EPOLLIN };
	const int on = 1;
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct conn *c;
	size_t i;

	for (i = 0; i < CONNS_MAX && load->conns[i].is_open; i++)
		;
	if (i == CONNS_MAX)
		return NULL;
	c = &load->conns[i];
	memset(c, 0, sizeof(*c));
	c->link.fd = socket(load->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->link.fd < 0)
		return NULL;
	if (connect(c->link.fd, (struct sockaddr *)&load->server, load->server_len) &&
	    errno != EINPROGRESS) {
		close(c->link.fd);
		return NULL;
	}
	if (load->tls || load->proto == &proto_h2)
		setsockopt(c->link.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if ((load->tls && link_secure(&c->link, load->tls, TLS_NAME)) || load->proto->open(c)) {
		link_close(&c->link);
		return NULL;
	}
	getsockname(c->link.fd, (struct sockaddr *)&local, &len);
	c->lport = ntohs(((struct sockaddr_in *)&local)->sin_port); /* same place in IPv6 */
	c->load = load;
	c->is_own = own;
	c->is_up = !load->tls;
	load->nrising += !c->is_up;
	c->is_open = true; /* a request may be queued before the handshake is over */
	c->nlanes = load->streams;
	for (struct lane *l = c->lanes; l < c->lanes + c->nlanes; l++)
		l->conn = c;
	c->events = ev.events;
	ev.data.ptr = c;
	epoll_ctl(load->ep, EPOLL_CTL_ADD, c->link.fd, &ev);
	if (i >= load->nconns)
		load->nconns = i + 1;
	return c;
}

void conn_close(struct conn *c)
{
	struct load *load = c->load;

	for (size_t i = 0; i < load->nidle;) {
		if (load->idle[i]->conn == c)
			load->idle[i] = load->idle[--load->nidle];
		else
			i++;
	}
	load->nrising -= !c->is_up;
	load->proto->close(c);
	link_notify(&c->link);
	link_close(&c->link);
	c->is_open = false;
}

void conn_blocked(struct conn *c, bool is_blocked)
{
	struct epoll_event ev = { .data.ptr = c };

	/* TLS may have to read before it can send. */
	ev.events = EPOLLIN | (is_blocked && c->link.wants_room ? EPOLLOUT : 0);
	c->is_blocked = is_blocked;
	if (ev.events == c->events)
		return;
	c->events = ev.events;
	epoll_ctl(c->load->ep, EPOLL_CTL_MOD, c->link.fd, &ev);
}

void conn_settle(struct conn *c)
{
	for (struct lane *l = c->lanes; l < c->lanes + c->nlanes; l++)
		if (l->state != LANE_IDLE)
			return;
	if (c->is_open && (c->is_own || c->is_ending))
		conn_close(c);
}

void conn_broken(struct conn *c)
{
	c->is_ending = true;
	for (struct lane *l = c->lanes; l < c->lanes + c->nlanes; l++) {
		if (l->state == LANE_WAITING)
			lane_done(l, false, NULL);
		else if (l->state == LANE_GAP)
			l->fault->running--;
		if (l->state != LANE_RETRY)
			l->state = LANE_IDLE;
	}
}

void conn_on_event(struct conn *c, uint32_t events)
{
	const struct proto *proto = c->load->proto;

	if (!c->is_open)
		return; /* closed by an earlier event of the same round */
	if ((c->is_blocked && (c->link.ssl || (events & EPOLLOUT)) && !proto->push(c)) ||
	    (events & ~(uint32_t)EPOLLOUT))
		proto->readable(c);
	if (!c->is_up && !link_handshake(&c->link)) {
		c->is_up = true;
		c->load->nrising--;
	}
	conn_settle(c);
}

bool lane_must_wait(const struct load *load)
{
	return load->tls && !load->nidle && load->nrising >= RISING_MAX;
}

struct lane *lane_get(struct load *load)
{
	struct conn *c;
	struct lane *l;

	while (load->nidle) {
		l = load->idle[--load->nidle];
		if (!l->conn->is_ending)
			return l;
	}
	c = conn_open(load, false);
	if (!c)
		return NULL;
	for (size_t i = c->nlanes; i-- > 1;)
		load->idle[load->nidle++] = &c->lanes[i];
	return c->lanes;
}

static void lane_id(const struct lane *l, char out[ID_SIZE])
{
	snprintf(out, ID_SIZE, "%07x%05x", l->conn->load->tag, (unsigned)(l->id & NUMBER_MAX));
}

void lane_target(const struct lane *l, char *out, size_t cap)
{
	char id[ID_SIZE];

	lane_id(l, id);
	snprintf(out, cap, "/%s/%s?c=%s", l->fault->name, id, l->prime ? "none" : l->fault->cause);
}

static void lane_send(struct lane *l)
{
	const struct proto *proto = l->conn->load->proto;

	l->got = 0;
	l->status = 0;
	l->body_left = l->body;
	l->state = LANE_WAITING;
	proto->request(l);
	if (!proto->push(l->conn))
		l->due_ns = l->sent_ns + STUCK_NS; /* the answer may still be there to read */
}

void lane_request(struct lane *l, struct fault *f, bool prime)
{
	struct load *load = l->conn->load;
	bool post = !strcmp(f->method, "ANY") ? f->count % 100 * 37 % 100 < POST_PERCENT
					      : !strcmp(f->method, "POST");
	size_t body = f->body ? f->body : 16 + f->count % 200;

	l->body = post && !prime ? body : 0;
	if (!prime)
		f->count++;
	l->fault = f;
	l->prime = prime;
	l->tries = 0;
	l->id = load->next_id++;
	l->sent_ns = now_ns(CLOCK_MONOTONIC);
	l->sent_us = now_ns(CLOCK_REALTIME) / 1000;
	l->due_ns = l->sent_ns + (f->abort_ms ? f->abort_ms * MS : STUCK_NS);
	load->in_flight++;
	lane_send(l);
}

static void result(struct lane *l, bool complete, const char *override)
{
	struct load *load = l->conn->load;
	struct fault *f = l->fault;
	bool healthy = !strcmp(f->cause, "none") || l->prime;
	char status[16], id[ID_SIZE];

	snprintf(status, sizeof(status), "%d", l->got ? l->status : 0);
	lane_id(l, id);
	if (healthy && (override || l->status != 200 || !complete))
		load->healthy_bad++;
	if (load->truth)
		fprintf(load->truth, "%s\t%s\t%s\t%s\t%llu\t%s\t%zu\t%d\t%u\t%llu\n", id, f->name,
			l->prime ? "none" : f->cause, f->upstream, (unsigned long long)l->sent_us,
			override ? override : status, l->got, complete, l->conn->lport,
			(unsigned long long)(now_ns(CLOCK_MONOTONIC) - l->sent_ns) / 1000);
	load->in_flight--;
}

void lane_done(struct lane *l, bool complete, const char *override)
{
	struct conn *c = l->conn;
	struct fault *f = l->fault;

	result(l, complete, override);
	l->state = LANE_IDLE;
	if (c->is_own && l->prime && complete && !c->is_ending) {
		l->state = LANE_GAP;
		l->due_ns = now_ns(CLOCK_MONOTONIC) + f->prime_ms * MS;
	} else if (c->is_own) {
		f->running--;
	} else if (!c->is_ending) {
		c->load->idle[c->load->nidle++] = l;
	}
}

/* The same request on another conn: to the one who asked there is only one. */
static void lane_retry(struct lane *l)
{
	struct lane *to = lane_get(l->conn->load);
	struct conn *c;

	if (!to)
		return; /* every conn is busy: next round */
	c = to->conn;
	*to = *l;
	to->conn = c;
	lane_send(to);
	l->state = LANE_IDLE;
	conn_settle(l->conn);
}

static void lane_due(struct lane *l)
{
	struct conn *c = l->conn;
	struct fault *f = l->fault;

	if (l->state == LANE_GAP) {
		lane_request(l, f, false);
		return;
	}
	c->load->proto->abort(l);
	lane_done(l, false, l->status == 9 ? NULL : f->abort_ms && !l->prime ? "abort" : "-1");
	conn_settle(c);
}

void conns_due(struct load *load, uint64_t now)
{
	for (struct conn *c = load->conns; c < load->conns + load->nconns; c++) {
		for (struct lane *l = c->lanes; c->is_open && l < c->lanes + c->nlanes; l++) {
			if (l->state == LANE_RETRY)
				lane_retry(l);
			else if (l->state != LANE_IDLE && l->due_ns <= now)
				lane_due(l);
		}
	}
}
