/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which exchange a connect is for, and when connects end that nobody answers.
 *
 * A gateway connects for a request as soon as it has read it, and tries again as soon as a try
 * has failed. Where just one exchange waits for its gateway's next step, a connect is for that
 * one; where several do, nothing is said (the engine has the times).
 *
 * A gateway that stops waiting for a connect closes a socket that has sent nothing but SYNs, and
 * no packet tells of it: what tells is the next thing it does, another try or its answer to the
 * client. The first pass knows which SYNs are the last of their conn.
 */
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

#define RETRY_NS       NS_PER_S
#define RETRY_SLACK_NS (20 * NS_PER_MS)
#define SYN_RTO_NS     NS_PER_S		/* RFC 6298 2.1; doubles with each */
#define TIMER_MIN_NS   (90 * NS_PER_MS) /* as in the engine's rules */
#define FIN_WAIT_NS    (30 * NS_PER_MS) /* from its answer to the FIN of the conn it gave up */
#define LOOK_MAX       256		/* of what is open, looked at */

/* The gateway waits no longer than that for its SYN, or another would have been sent. */
static uint64_t overdue_ns(const struct side *d)
{
	unsigned n = d->leg.syn_sent ? d->leg.syn_sent - 1u : 0;

	return d->last_syn_ns + (SYN_RTO_NS << (n < 6 ? n : 6)) * 3 / 2;
}

static void own(struct side *down, struct side *d)
{
	list_remove(&d->by_owner);
	d->owner = down;
	list_push_back(&down->tries, &d->by_owner);
	down->waits_ns = 0;
	down->nfailed = 0;
	down->has_failed = down->is_suspect = false;
}

static void disown(struct side *d)
{
	list_remove(&d->by_owner);
	d->owner = NULL;
}

void owner_free(struct side *d)
{
	while (!list_empty(&d->tries))
		disown(list_entry(list_first(&d->tries), struct side, by_owner));
	disown(d);
	list_remove(&d->node);
}

static bool same_peer(const struct w5_leg *a, const struct w5_addr *ip, uint16_t port)
{
	return a->rport == port && capture_same_ip(&a->remote, ip);
}

static void note_failed(struct side *q, const struct side *d)
{
	struct peer *at = &q->failed[q->nfailed++ % FAILED_MAX];

	at->ip = d->leg.remote;
	at->port = d->leg.rport;
}

void owner_hears(struct side *d, uint64_t ts_ns)
{
	struct side *down = d->owner;

	if (down) {
		down->waits_ns = ts_ns;
		down->nfailed = 0;
		down->has_failed = true;
		note_failed(down, d);
	}
	disown(d);
}

/* It failed there, or may have, and has done nothing since: it may try once more at any time. */
static bool may_retry(const struct side *q, const struct side *d)
{
	for (size_t i = 0; i < min_size(q->nfailed, FAILED_MAX); i++)
		if (same_peer(&d->leg, &q->failed[i].ip, q->failed[i].port))
			return true;
	return false;
}

static bool is_candidate(const struct capture *c, const struct side *q, const struct side *d,
			 uint64_t ts_ns)
{
	if (q->gw != d->gw || !q->waits_ns || q->waits_ns > ts_ns ||
	    !route_goes_to(c, q->route, capture_server_key(&d->leg.remote, d->leg.rport)))
		return false;
	return q->waits_ns + ROUTE_WINDOW_NS >= ts_ns || may_retry(q, d);
}

/* It is for one of several: each may have tried there. */
static void suspect_all(const struct capture *c, const struct side *d, uint64_t ts_ns)
{
	int left = LOOK_MAX;
	struct list *n;

	for (n = c->asked.prev; n != &c->asked && left--; n = n->prev) {
		struct side *q = list_entry(n, struct side, node);

		if (!is_candidate(c, q, d, ts_ns))
			continue;
		q->is_suspect = true;
		if (!may_retry(q, d))
			note_failed(q, d);
	}
}

/* HAProxy waits so long before it connects to a peer again. */
static bool retry_is_due(const struct side *q, const struct side *d, uint64_t ts_ns)
{
	uint64_t due_ns = q->waits_ns + RETRY_NS;

	return q->has_failed && same_peer(&d->leg, &q->failed[0].ip, q->failed[0].port) &&
	       due_ns + RETRY_SLACK_NS >= ts_ns && due_ns <= ts_ns + RETRY_SLACK_NS;
}

/* A connect there, for another exchange, is over by now, for all one knows. */
static bool is_tried_now(const struct capture *c, const struct side *d, uint64_t ts_ns)
{
	int left = LOOK_MAX;
	struct list *n;

	list_for_each(n, &c->dead) {
		const struct side *q = list_entry(n, struct side, node);

		if (!left--)
			break;
		if (q != d && q->gw == d->gw && !q->next_ns && q->owner && q->last_syn_ns < ts_ns &&
		    same_peer(&q->leg, &d->leg.remote, d->leg.rport))
			return true;
	}
	return false;
}

/*
 * The exchange whose gateway must do something now. *several: not just one, and not all of one
 * route; of those the first is taken, for the others' connects look the same.
 */
static struct side *who_waits(const struct capture *c, const struct side *d, uint64_t ts_ns,
			      bool *several)
{
	struct side *best = NULL, *due = NULL;
	bool is_doubtful = false;
	size_t ndue = 0;
	int left = LOOK_MAX;
	struct list *n;

	for (n = c->asked.prev; n != &c->asked && left--; n = n->prev) {
		struct side *q = list_entry(n, struct side, node);

		if (!is_candidate(c, q, d, ts_ns))
			continue;
		if (retry_is_due(q, d, ts_ns)) {
			due = q;
			ndue++;
		} else if (q->waits_ns + ROUTE_WINDOW_NS < ts_ns || q->is_suspect) {
			is_doubtful = true; /* it may be this one's, or not */
		} else {
			is_doubtful = is_doubtful || (best && best->route != q->route);
			best = q;
		}
	}
	*several = due ? ndue > 1 : is_doubtful || (best && is_tried_now(c, d, ts_ns));
	return due ? due : best;
}

/* The try, over by now, that began first and that nothing followed yet. */
static struct side *last_try(const struct capture *c, const struct side *d, uint64_t ts_ns,
			     uint64_t target)
{
	int left = LOOK_MAX;
	struct list *n;

	list_for_each(n, &c->dead) {
		struct side *q = list_entry(n, struct side, node);

		if (!left--)
			break;
		if (q == d || q->gw != d->gw || q->next_ns || !q->owner || q->last_syn_ns >= ts_ns)
			continue;
		if (!target ||
		    target == capture_target_key(q->owner->leg.head, q->owner->leg.head_len))
			return q;
	}
	return NULL;
}

void owner_of_connect(struct capture *c, struct side *d, uint64_t ts_ns)
{
	const struct unanswered *u = capture_unanswered(c, d->t);
	bool several;
	struct side *down = who_waits(c, d, ts_ns, &several);
	struct side *before = down ? NULL : last_try(c, d, ts_ns, 0);

	if (before) {
		before->next_ns = ts_ns;
		down = before->owner;
	} else if (down && !several) {
		d->leg.hint_cookie = down->leg.h.cookie;
		d->leg.hint_ns = down->waits_ns;
	}
	if (u) {
		d->last_syn_ns = u->last_syn_ns;
		list_move_back(&c->dead, &d->node);
	}
	if (several)
		suspect_all(c, d, ts_ns);
	else if (down)
		own(down, d);
}

/* The one open exchange that asks for this; *several: not just one. */
static struct side *who_asks(const struct capture *c, const struct side *d, uint64_t target,
			     bool *several)
{
	struct side *best = NULL;
	int left = LOOK_MAX;
	struct list *n;

	*several = false;
	for (n = c->asked.prev; n != &c->asked && left--; n = n->prev) {
		struct side *q = list_entry(n, struct side, node);

		if (q->gw != d->gw || q->target != target)
			continue;
		*several = *several || best;
		best = q;
	}
	return best;
}

/* From here on its target tells whose it is; what the connect was for need not be the same. */
void owner_of_request(struct capture *c, struct side *d, uint64_t ts_ns)
{
	struct side *down, *before, *was = d->owner;
	bool several;

	d->target = d->leg.proto == W5_PROTO_HTTP1
			    ? capture_target_key(d->leg.head, d->leg.head_len)
			    : 0;
	if (!d->target)
		return;
	down = who_asks(c, d, d->target, &several);
	before = list_empty(&c->dead) ? NULL : last_try(c, d, ts_ns, d->target);
	if (before)
		before->next_ns = ts_ns;
	if (was && was->target == d->target)
		return;
	d->leg.hint_cookie = d->leg.hint_ns = 0;
	disown(d);
	if (down && !several)
		own(down, d);
}

/* down: the exchange that it was for, or NULL */
static void end(struct capture *c, struct side *d, const struct side *down, uint64_t end_ns,
		uint64_t ts_ns)
{
	if (down) {
		d->leg.hint_cookie = down->leg.h.cookie;
		d->leg.hint_ns = down->leg.req_last_ns;
	}
	list_remove(&d->node);
	disown(d);
	if (end_ns < d->leg.open_ns + TIMER_MIN_NS) { /* no timer is so short: it was answered */
		side_lost(c, d, ts_ns);
		return;
	}
	if (!side_end_once(d, W5_END_CONNECT, end_ns))
		return;
	side_facts(d);
	side_tell_end(c, d, ts_ns);
}

/* Whose it is was not to be seen when it began. */
static bool may_be_for(const struct capture *c, const struct side *d, const struct side *down,
		       uint64_t ts_ns)
{
	return !d->owner && d->gw == down->gw && d->leg.open_ns >= down->leg.req_ns &&
	       d->leg.open_ns <= down->leg.req_last_ns + ROUTE_WINDOW_NS &&
	       d->last_syn_ns < ts_ns && overdue_ns(d) >= ts_ns &&
	       route_goes_to(c, down->route, capture_server_key(&d->leg.remote, d->leg.rport));
}

void owner_answered(struct capture *c, struct side *down, uint64_t ts_ns)
{
	bool is_bad = !down->leg.status || down->leg.status >= 500;
	bool had_one = false;
	int left = LOOK_MAX;
	struct list *n, *tmp;

	list_remove(&down->node);
	down->waits_ns = 0;
	down->nfailed = 0;
	down->has_failed = down->is_suspect = false;
	list_for_each_safe(n, tmp, &down->tries) {
		struct side *d = list_entry(n, struct side, by_owner);

		if (d->leg.phase == W5_PHASE_CONNECT && d->last_syn_ns && d->last_syn_ns < ts_ns) {
			end(c, d, down, d->next_ns ? d->next_ns : ts_ns, ts_ns);
			had_one = true;
			continue;
		}
		disown(d); /* it goes on without this exchange, or not at all */
		if (is_bad && d->leg.phase == W5_PHASE_REQUEST) {
			d->leaves_ns = ts_ns;
			list_move_back(&c->leaving, &d->node);
		}
	}
	list_for_each_safe(n, tmp, &c->dead) {
		struct side *d = list_entry(n, struct side, node);

		if (!left-- || had_one || !is_bad)
			break;
		if (may_be_for(c, d, down, ts_ns)) { /* the first that began is the first to end */
			end(c, d, down, d->next_ns ? d->next_ns : ts_ns, ts_ns);
			had_one = true;
		}
	}
}

/*
 * The exchange was answered with an error, and its request got no response: the gateway has given
 * up on it. Its FIN waits behind bytes that nobody acknowledges, perhaps for ever.
 */
void giveup_leaving(struct capture *c, uint64_t ts_ns)
{
	while (!list_empty(&c->leaving)) {
		struct side *d = list_entry(list_first(&c->leaving), struct side, node);

		if (d->leaves_ns + FIN_WAIT_NS > ts_ns)
			return;
		list_remove(&d->node);
		if (d->leg.phase != W5_PHASE_REQUEST || d->reported)
			continue;
		if (d->leaves_ns < d->leg.req_last_ns + TIMER_MIN_NS) {
			side_lost(c, d, d->leaves_ns + FIN_WAIT_NS);
			continue;
		}
		side_end_once(d, W5_END_FIN_OUT, d->leaves_ns);
		side_facts(d);
		side_tell_end(c, d, d->leaves_ns + FIN_WAIT_NS);
	}
}

/* What nobody asked for any more. */
void giveup_run(struct capture *c, uint64_t ts_ns)
{
	int left = LOOK_MAX;
	struct list *n, *tmp;

	list_for_each_safe(n, tmp, &c->dead) {
		struct side *d = list_entry(n, struct side, node);

		if (!left--)
			break;
		if (!d->owner && overdue_ns(d) + NS_PER_S < ts_ns)
			end(c, d, NULL, d->next_ns ? d->next_ns : overdue_ns(d), ts_ns);
	}
}
