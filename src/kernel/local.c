// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/local.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"

#define ROUTE_NS (1000 * 1000 * 1000ull)
#define PORTS_NS (5 * ROUTE_NS) /* counting 28,000 sockets takes some 15 ms */

enum { ASK_ROUTE = 1, ASK_PORTS };

static void read_range(struct w5_limit *ports)
{
	w5_auto(fclosep) FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int lo, hi;

	if (!f || fscanf(f, "%u %u", &lo, &hi) != 2 || lo > hi || hi > 65535)
		return;
	ports->port_lo = (uint16_t)lo;
	ports->port_hi = (uint16_t)hi;
	ports->limit = hi - lo + 1;
}

static void ask_ports(struct local_answer *a)
{
	struct netlink_sockets n;

	a->ports = (struct w5_limit){
		.h = { .type = W5_REC_LIMIT, .size = sizeof(a->ports) },
		.kind = W5_LIMIT_PORTS,
	};
	read_range(&a->ports);
	if (!netlink_count_sockets(&n, &a->to, a->port)) {
		a->ports.used = n.all;
		a->ports.waiting = n.waiting;
	}
}

static void ask_kernel(struct local_answer *a)
{
	int back;

	a->err = 0;
	a->ports.limit = 0;
	if (netns_enter(a->tgid, &back))
		return;
	if (a->kind == ASK_ROUTE)
		a->err = netlink_route_error(&a->to, a->port, &a->from, &a->how);
	else
		ask_ports(a);
	netns_leave(&back);
}

static bool same_question(const struct local_answer *a, const struct local_answer *b)
{
	return a->kind == b->kind && a->netns == b->netns && a->port == b->port &&
	       !memcmp(&a->to, &b->to, sizeof(a->to)) &&
	       !memcmp(&a->from, &b->from, sizeof(a->from)) &&
	       !memcmp(&a->how, &b->how, sizeof(a->how));
}

/* The answer to q, asked anew when it is too old; it takes the place of the oldest one. */
static const struct local_answer *answer(struct local *l, struct local_answer *q, uint64_t keep_ns)
{
	struct local_answer *oldest = &l->kept[0];

	for (size_t i = 0; i < LOCAL_KEPT; i++) {
		struct local_answer *a = &l->kept[i];

		if (same_question(a, q)) {
			if (q->when_ns >= a->when_ns + keep_ns) {
				a->when_ns = q->when_ns;
				a->tgid = q->tgid;
				ask_kernel(a);
			}
			return a;
		}
		if (a->when_ns < oldest->when_ns)
			oldest = a;
	}
	*oldest = *q;
	ask_kernel(oldest);
	return oldest;
}

const struct w5_limit *local_explain(struct local *l, struct w5_leg *leg,
				     const struct w5_route_key *asked)
{
	struct local_answer q = { .when_ns = leg->h.ts_ns,
				  .netns = leg->netns,
				  .tgid = leg->tgid,
				  .to = leg->remote,
				  .from = leg->local,
				  .port = leg->rport };
	struct local_answer *a;

	if (leg->phase != W5_PHASE_CONNECT || leg->end != W5_END_CONNECT || leg->lport || leg->err)
		return NULL;
	if (leg->flags & W5_F_UNSENT) {
		q.kind = ASK_ROUTE;
		if (asked)
			q.how = *asked;
		leg->err = (uint16_t)answer(l, &q, ROUTE_NS)->err;
		return NULL;
	}
	q.kind = ASK_PORTS;
	a = (struct local_answer *)answer(l, &q, PORTS_NS);
	if (!a->ports.limit)
		return NULL;
	a->ports.h.ts_ns = leg->h.ts_ns;
	a->ports.h.cookie = leg->h.cookie;
	a->ports.tgid = leg->tgid;
	a->ports.tid = leg->tid;
	return &a->ports;
}
