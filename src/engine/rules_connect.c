/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of a connect that did not succeed: errno, ICMP, SYN count, ARP/ND, TTL. */
#include <errno.h>

#include "engine/rules.h"

/* A full queue is drained, or fills again, within seconds; a host may die later than that. */
#define OVERFLOW_LATELY_NS (10 * NS_PER_S)
/* A SYN that was not given this long for its answer was not ignored. */
#define ANSWER_NS	   (100 * NS_PER_MS)

/* It came to SYN_SENT and back without a port: the choice of one is all that lies in between. No
 * error is left in the socket. */
static bool local_port_exhausted(const struct facts *f)
{
	const struct w5_leg *l = f->l;

	if (!f->connecting || l->lport || l->syn_sent || l->end != W5_END_CONNECT)
		return false;
	return l->err == EADDRNOTAVAIL || (!f->err && !(l->flags & W5_F_UNSENT));
}

/* Of a connect that failed before SYN_SENT the errno is what the routing table itself says. */
static bool no_route(const struct facts *f)
{
	const struct w5_leg *l = f->l;

	if (!f->connecting || l->syn_sent || (l->flags & W5_F_LOCAL_UNREACH))
		return false;
	return rule_errno_is(l->err, ENETUNREACH, EHOSTUNREACH) ||
	       ((l->flags & W5_F_UNSENT) && rule_errno_is(l->err, EACCES, EINVAL));
}

/* EBUSY on a SYN's retransmit: the first copy never left this host (no ARP/ND answer). */
static bool host_unreachable_local(const struct facts *f)
{
	if (!f->connecting || f->err == ECONNREFUSED)
		return false;
	if (f->l->flags & W5_F_LOCAL_UNREACH)
		return f->err != ENETUNREACH;
	return f->l->busy && (rule_errno_is(f->err, EHOSTUNREACH, ETIMEDOUT) || !f->err);
}

/* Errors ICMP brings (type 3: codes 0, 1, 9, 10, 13); nothing else on the wire does. */
static bool host_unreachable_icmp(const struct facts *f)
{
	return f->connecting && f->l->syn_sent &&
	       (rule_errno_is(f->err, EHOSTUNREACH, ENETUNREACH) ||
		rule_errno_is(f->err, ENONET, EHOSTDOWN));
}

static bool refused(const struct facts *f)
{
	return f->connecting && f->err == ECONNREFUSED;
}

/* ICMP port unreachable: a host that listens nowhere answers TCP with RST. */
static bool refused_by_icmp(const struct facts *f)
{
	return refused(f) && !f->l->rst_in_ns && !f->l->rst_flags;
}

static bool refused_by_other_ttl(const struct facts *f)
{
	return refused(f) && f->l->rst_ttl && f->ref_ttl && f->l->rst_ttl != f->ref_ttl;
}

/* This very conn came to a listener of this host that had no room. */
static bool accept_queue_seen(const struct facts *f)
{
	return f->connecting && f->l->syn_sent && (f->err == ETIMEDOUT || !f->err) &&
	       (f->l->flags & W5_F_QUEUE_FULL);
}

/* Others were let in, and then another SYN of this one went unanswered: the host is there. */
static bool accept_queue_others(const struct facts *f)
{
	return f->connecting && f->l->syn_sent > 1 && (f->err == ETIMEDOUT || !f->err) &&
	       f->l->estab_ns > f->l->open_ns && f->last_syn_ns > f->l->estab_ns &&
	       f->l->end_ns > f->last_syn_ns + ANSWER_NS;
}

/* Conns that got as far as the queue have lately shown that it was full. */
static bool accept_queue_lately(const struct facts *f)
{
	const struct upstream *u = f->up;

	return f->connecting && f->l->syn_sent && (f->err == ETIMEDOUT || !f->err) && u &&
	       u->last_overflow_ns + OVERFLOW_LATELY_NS > f->l->open_ns;
}

static bool conn_timeout_syn(const struct facts *f)
{
	return f->connecting && f->l->syn_sent && (f->err == ETIMEDOUT || !f->err);
}

static bool unix_socket_error(const struct facts *f)
{
	return f->connecting && w5_addr_is_path(&f->l->remote) && f->l->err;
}

static const struct rule rows[] = {
	{ .cause = CAUSE_UNIX_SOCKET_ERROR, .at_best = CERTAIN, .test = unix_socket_error },
	{ .cause = CAUSE_LOCAL_PORT_EXHAUSTED, .at_best = CERTAIN, .test = local_port_exhausted },
	{ .cause = CAUSE_NO_ROUTE, .at_best = CERTAIN, .test = no_route },
	{ .cause = CAUSE_HOST_UNREACHABLE_LOCAL,
	  .at_best = CERTAIN,
	  .test = host_unreachable_local },
	{ .cause = CAUSE_HOST_UNREACHABLE_ICMP, .at_best = CERTAIN, .test = host_unreachable_icmp },
	{ .cause = CAUSE_CONN_REFUSED_FIREWALL, .at_best = LIKELY, .test = refused_by_icmp },
	{ .cause = CAUSE_CONN_REFUSED_FIREWALL, .at_best = LIKELY, .test = refused_by_other_ttl },
	{ .cause = CAUSE_CONN_REFUSED, .at_best = CERTAIN, .test = refused },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = CERTAIN, .test = accept_queue_seen },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_others },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_lately },
	{ .cause = CAUSE_CONN_TIMEOUT_SYN, .at_best = CERTAIN, .test = conn_timeout_syn },
};

const struct rule_table rules_connect = { .rows = rows, .n = ARRAY_SIZE(rows) };
