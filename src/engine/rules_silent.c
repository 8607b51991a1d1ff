/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causes of a request without a byte of response: who ended the conn, how, and whether
 * the peer had taken the request in.
 */
#include <errno.h>

#include "engine/rules.h"

/* A pool's idle timer is minutes at most (nginx 60 s, Caddy 120 s, Go 90 s, Envoy 1 h): a
 * backend that forgot a conn idle for longer than this more likely lost its state. */
#define STALE_IDLE_NS	  (300 * NS_PER_S)
/* The shortest idle timers of firewalls and NAT that are met in practice. */
#define FORGOTTEN_IDLE_NS (60 * NS_PER_S)
/* Idle enough for a stateful device to have forgotten the conn (shortest ones in use). */
#define IDLE_CONN_NS	  NS_PER_S
/* A backend that lately died of first requests dies of requests, not of reused conns. */
#define FRESH_DEATH_NS	  (10 * NS_PER_S)
/* Sooner than this a reset may still be a close at the request, on a busy host. */
#define REUSE_DOUBT_NS	  (20 * NS_PER_MS)
/* "At once" after the request: two round trips and a scheduling delay. */
#define AT_ONCE_NS	  (5 * NS_PER_MS)
/* Short segments in one upload: at its end, and behind its head. */
#define SHORT_SEGMENTS	  2
/* RFC 879 and Ethernet, where the SYN-ACK was not seen */
#define MSS_DEFAULT	  1460

static bool at_once(const struct facts *f)
{
	return f->elapsed_ns <= 2 * f->rtt_ns + AT_ONCE_NS;
}

static bool middlebox_reset(const struct facts *f)
{
	return !f->connecting && !f->l->status && f->peer_rst && f->l->rst_ttl && f->ref_ttl &&
	       f->l->rst_ttl != f->ref_ttl;
}

/* Its FIN was here before our request left: nothing that came later matters. */
static bool race_fin_first(const struct facts *f)
{
	return rule_silent(f) && f->reused && f->fin_first && !f->acked;
}

/* It may have been closed at a request that went before these bytes. */
static bool chatter_fin_first(const struct facts *f)
{
	return rule_silent(f) && f->chatter && f->fin_first;
}

/* Accepted and closed at once: the RST is only the answer to our request. */
static bool fresh_fin_first(const struct facts *f)
{
	return rule_silent(f) && !f->reused && f->fin_first;
}

static bool stale_reset(const struct facts *f)
{
	return rule_silent(f) && f->reused && f->unacked && f->peer_rst && !f->l->fin_in_ns &&
	       !(f->l->rst_flags & W5_TCP_ACK) && f->l->idle_ns >= STALE_IDLE_NS;
}

/* Not a byte taken: a socket that was closed already answers with R, or its FIN crossed. */
static bool race_crossing(const struct facts *f)
{
	if (!rule_silent(f) || !f->reused || !f->unacked)
		return false;
	return f->peer_fin || (f->peer_rst && !(f->l->rst_flags & W5_TCP_ACK));
}

/* No socket for what came last: the one that had the first segment may have closed at it. */
static bool race_or_closed(const struct facts *f)
{
	return race_crossing(f) && f->peer_rst && f->l->req_last_ns > f->l->req_ns;
}

/* The same; and had there been none for the first segment, that would have been said sooner. */
static bool closed_or_race(const struct facts *f)
{
	return race_or_closed(f) && f->rtt_ns &&
	       f->l->end_ns >= f->l->req_ns + f->rtt_ns + f->rtt_ns / 2;
}

static bool race_reset_with_ack(const struct facts *f)
{
	return rule_silent(f) && f->reused && f->unacked && f->peer_rst && at_once(f);
}

/* The handshake looked done to us only: SYN-ACK again, or no socket for our first bytes. */
static bool accept_queue(const struct facts *f)
{
	if (!rule_silent(f) || f->reused || !f->unacked || !f->unheard || f->l->fin_in_ns)
		return false;
	return f->l->dup_synack || (f->peer_rst && !(f->l->rst_flags & W5_TCP_ACK));
}

/* The same, and the listener is on this host and had no room. */
static bool accept_queue_seen(const struct facts *f)
{
	return rule_silent(f) && !f->reused && f->unacked && (f->l->flags & W5_F_QUEUE_FULL);
}

/* Reset before the request could leave (tcp_abort_on_overflow): there is no socket for it. */
static bool accept_queue_abort(const struct facts *f)
{
	return !f->connecting && !f->handshake && !f->l->nr && f->unheard && f->peer_rst &&
	       !(f->l->rst_flags & W5_TCP_ACK);
}

static bool reset_unasked(const struct facts *f)
{
	return !f->connecting && !f->handshake && !f->l->nr && !f->l->resp_bytes && f->peer_rst;
}

/* The first of several segments will do: the backend had the request before it closed. */
static bool closed_on_request(const struct facts *f)
{
	return rule_silent(f) && f->reused && f->l->req_acked && (f->peer_fin || f->peer_rst) &&
	       at_once(f) &&
	       !(f->up && f->up->last_fresh_death_ns &&
		 f->up->last_fresh_death_ns + FRESH_DEATH_NS > f->l->req_ns);
}

/* It had waited in a pool: that the backend closed it at the request is nearly as likely. */
static bool reset_soon_after_reuse(const struct facts *f)
{
	return rule_silent(f) && f->peer_rst && f->reused && f->elapsed_ns < REUSE_DOUBT_NS;
}

static bool reset_before_response(const struct facts *f)
{
	return rule_silent(f) && f->peer_rst;
}

static bool closed_before_response(const struct facts *f)
{
	return rule_silent(f) && f->peer_fin;
}

/* The kernel or the gateway gave up on a peer from which no ACK came. */
static bool gave_up_unacked(const struct facts *f)
{
	bool gave_up = f->by_gateway || (f->by_kernel && f->err == ETIMEDOUT);

	return rule_silent(f) && gave_up && !f->acked && f->l->retrans;
}

/* Others get through to the same address meanwhile: it is this conn, not the path. */
static bool others_work(const struct facts *f)
{
	return f->path_ok_ns > f->l->req_ns || (f->up && f->up->last_connect_ok_ns > f->l->req_ns);
}

static bool zero_window(const struct facts *f)
{
	bool unsent = head_req_short(f->l) || !f->acked;

	return rule_silent(f) && (f->l->flags & W5_F_ZERO_WND) && !f->unacked && unsent &&
	       (f->by_gateway || f->by_kernel);
}

static bool stale_blackhole(const struct facts *f)
{
	return gave_up_unacked(f) && f->reused && f->unacked &&
	       (f->l->idle_ns >= FORGOTTEN_IDLE_NS ||
		(f->l->idle_ns >= IDLE_CONN_NS && others_work(f)));
}

/* The handshake's small packets pass, full segments never do, however often; and the path
 * to this address is up. */
static bool pmtu_blackhole(const struct facts *f)
{
	uint32_t mss = f->l->synack_mss ? f->l->synack_mss : MSS_DEFAULT;

	return gave_up_unacked(f) && f->l->req_bytes > mss && f->l->rto_count >= 2 &&
	       f->path_ok_ns > f->l->req_ns;
}

/* The same, on this conn alone: the short segment at the end got through, whole ones never. More
 * than that got through: whole ones among them. */
static bool pmtu_blackhole_sacked(const struct facts *f)
{
	uint32_t mss = f->l->synack_mss ? f->l->synack_mss : MSS_DEFAULT;

	return gave_up_unacked(f) && f->l->req_bytes > mss && f->l->rto_count >= 2 &&
	       f->l->sacked && f->l->sacked <= SHORT_SEGMENTS;
}

/* Handshake done, not a byte taken, while other conns to the same port were taken in and
 * left without an answer: nobody accepts. */
static bool accept_queue_full(const struct facts *f)
{
	return gave_up_unacked(f) && !f->reused && f->unacked && f->unheard && f->up &&
	       f->up->last_acked_silent_ns + ACCEPTED_LATELY_NS > f->l->end_ns &&
	       f->up->last_acked_silent_ns > f->up->last_answer_ns;
}

/* Nothing but the handshake got through: a full accept queue would look the same. */
static bool path_loss_from_start(const struct facts *f)
{
	return gave_up_unacked(f) && !f->reused && f->unacked;
}

static bool path_loss(const struct facts *f)
{
	return gave_up_unacked(f) && f->l->rto_count + f->l->retrans > 1;
}

/* The response's last, short segment came, the full ones before it never did. */
static bool pmtu_blackhole_back(const struct facts *f)
{
	return f->gap && f->elapsed_ns >= TIMER_MIN_NS;
}

static bool path_unreachable(const struct facts *f)
{
	return rule_silent(f) && f->by_kernel && rule_errno_is(f->err, EHOSTUNREACH, ENETUNREACH);
}

static bool backend_slow(const struct facts *f)
{
	return rule_silent(f) && f->by_gateway && f->acked && f->elapsed_ns >= TIMER_MIN_NS;
}

static const struct rule rows[] = {
	{ .cause = CAUSE_MIDDLEBOX_RESET, .at_best = LIKELY, .test = middlebox_reset },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = CERTAIN, .test = race_fin_first },
	{ .cause = CAUSE_INSUFFICIENT_EVIDENCE, .at_best = LIKELY, .test = chatter_fin_first },
	{ .cause = CAUSE_CLOSED_BEFORE_RESPONSE, .at_best = CERTAIN, .test = fresh_fin_first },
	{ .cause = CAUSE_STALE_CONNECTION_RESET, .at_best = LIKELY, .test = stale_reset },
	{ .cause = CAUSE_INSUFFICIENT_EVIDENCE, .at_best = LIKELY, .test = closed_or_race },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = LIKELY, .test = race_or_closed },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = CERTAIN, .test = race_crossing },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = LIKELY, .test = race_reset_with_ack },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = CERTAIN, .test = accept_queue_seen },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_abort },
	{ .cause = CAUSE_RESET_BEFORE_RESPONSE, .at_best = LIKELY, .test = reset_unasked },
	{ .cause = CAUSE_KEEPALIVE_CLOSED_ON_REQUEST, .at_best = LIKELY, .test = closed_on_request },
	{ .cause = CAUSE_RESET_BEFORE_RESPONSE, .at_best = LIKELY, .test = reset_soon_after_reuse },
	{ .cause = CAUSE_RESET_BEFORE_RESPONSE, .at_best = CERTAIN, .test = reset_before_response },
	{ .cause = CAUSE_CLOSED_BEFORE_RESPONSE,
	  .at_best = CERTAIN,
	  .test = closed_before_response },
	{ .cause = CAUSE_ZERO_WINDOW, .at_best = CERTAIN, .test = zero_window },
	{ .cause = CAUSE_STALE_CONNECTION_BLACKHOLE, .at_best = LIKELY, .test = stale_blackhole },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole_sacked },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_full },
	{ .cause = CAUSE_PATH_LOSS, .at_best = LIKELY, .test = path_loss_from_start },
	{ .cause = CAUSE_PATH_LOSS, .at_best = CERTAIN, .test = path_loss },
	{ .cause = CAUSE_HOST_UNREACHABLE_ICMP, .at_best = LIKELY, .test = path_unreachable },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole_back },
	{ .cause = CAUSE_BACKEND_SLOW, .at_best = CERTAIN, .test = backend_slow },
};

const struct rule_table rules_silent = { .rows = rows, .n = ARRAY_SIZE(rows) };
