/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cause of one attempt: the first row whose test holds. Order and look-alikes as in
 * the distinguishing table of docs/causes.md: connect, TLS, sending, waiting, header.
 * A row says how sure its facts can make us at best; correlation may lower that.
 */
#include "engine/facts.h"

#include <errno.h>
#include <string.h>

/* A pool's idle timer is minutes at most (nginx 60 s, Caddy 120 s, Go 90 s, Envoy 1 h): a
 * backend that forgot a conn idle for longer than this more likely lost its state. */
#define STALE_IDLE_NS	   (300 * NS_PER_S)
/* The shortest idle timers of firewalls and NAT that are met in practice. */
#define FORGOTTEN_IDLE_NS  (60 * NS_PER_S)
/* Idle enough for a stateful device to have forgotten the conn (shortest ones in use). */
#define IDLE_CONN_NS	   NS_PER_S
/* A backend that lately died of first requests dies of requests, not of reused conns. */
#define FRESH_DEATH_NS	   (10 * NS_PER_S)
#define ACCEPTED_LATELY_NS (60 * NS_PER_S)
/* "At once" after the request: two round trips and a scheduling delay. */
#define AT_ONCE_NS	   (2 * NS_PER_MS)
/* A gateway's timers are tenths of seconds and more; it closed earlier for another reason. */
#define TIMER_MIN_NS	   (90 * NS_PER_MS)
/* The smallest header buffer of a gateway (nginx proxy_buffer_size on 4 kB pages). */
#define HEADER_BUFFER_MIN  4096
#define MSS_DEFAULT	   1460

static bool one_of(int err, int a, int b)
{
	return err == a || err == b;
}

static bool at_once(const struct facts *f)
{
	return f->elapsed_ns <= 2 * f->rtt_ns + AT_ONCE_NS;
}

/* ---- connect ---- */

static bool client_abort(const struct facts *f)
{
	return f->client_gone && f->by_gateway;
}

static bool client_abort_connecting(const struct facts *f)
{
	return f->client_gone && f->connecting && !f->l->err;
}

static bool local_port_exhausted(const struct facts *f)
{
	return f->connecting && f->l->err == EADDRNOTAVAIL;
}

static bool no_route(const struct facts *f)
{
	return f->connecting && one_of(f->l->err, ENETUNREACH, EHOSTUNREACH) && !f->l->syn_sent &&
	       !(f->l->flags & W5_F_LOCAL_UNREACH);
}

/* EBUSY on a SYN's retransmit: the first copy never left this host (no ARP/ND answer). */
static bool host_unreachable_local(const struct facts *f)
{
	if (!f->connecting || f->err == ECONNREFUSED)
		return false;
	if (f->l->flags & W5_F_LOCAL_UNREACH)
		return f->err != ENETUNREACH;
	return f->l->busy && (one_of(f->err, EHOSTUNREACH, ETIMEDOUT) || !f->err);
}

/* Errors ICMP brings (type 3: codes 0, 1, 9, 10, 13); nothing else on the wire does. */
static bool host_unreachable_icmp(const struct facts *f)
{
	return f->connecting && f->l->syn_sent &&
	       (one_of(f->err, EHOSTUNREACH, ENETUNREACH) || one_of(f->err, ENONET, EHOSTDOWN));
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

/* The newest conns that were established got no answer either: nobody accepts them. */
static bool accept_queue_syn(const struct facts *f)
{
	const struct upstream *u = f->up;

	return f->connecting && f->l->syn_sent && (f->err == ETIMEDOUT || !f->err) && u &&
	       u->last_connect_ok_ns + ACCEPTED_LATELY_NS > f->l->open_ns &&
	       u->last_connect_ok_ns > u->last_answer_ns;
}

static bool conn_timeout_syn(const struct facts *f)
{
	return f->connecting && f->l->syn_sent && (f->err == ETIMEDOUT || !f->err);
}

/* ---- TLS, or the lack of it ---- */

static bool tls_mismatch(const struct facts *f)
{
	bool asked_tls = f->l->proto == W5_PROTO_TLS;

	if (f->l->proto == W5_PROTO_HTTP1)
		return f->resp == RESP_TLS && !f->l->status;
	return asked_tls &&
	       (f->resp == RESP_HEADER || f->resp == RESP_COMPLETE || f->resp == RESP_STARTED);
}

static bool tls_failed(const struct facts *f)
{
	return f->l->proto == W5_PROTO_TLS && !f->l->status && !f->reused &&
	       (f->resp == RESP_EMPTY || (f->resp == RESP_TLS && f->l->resp[0] == 0x15)) &&
	       (f->peer_fin || f->peer_rst);
}

/* ---- no byte of a response ---- */

static bool silent(const struct facts *f)
{
	return !f->connecting && !f->l->status && !f->l->resp_bytes && f->l->nr;
}

static bool middlebox_reset(const struct facts *f)
{
	return !f->connecting && !f->l->status && f->peer_rst && f->l->rst_ttl && f->ref_ttl &&
	       f->l->rst_ttl != f->ref_ttl;
}

/* Its FIN was here before our request left: nothing that came later matters. */
static bool race_fin_first(const struct facts *f)
{
	return silent(f) && f->reused && f->fin_first && !f->acked;
}

/* Accepted and closed at once: the RST is only the answer to our request. */
static bool fresh_fin_first(const struct facts *f)
{
	return silent(f) && !f->reused && f->fin_first;
}

static bool stale_reset(const struct facts *f)
{
	return silent(f) && f->reused && f->unacked && f->peer_rst && !f->l->fin_in_ns &&
	       !(f->l->rst_flags & W5_TCP_ACK) && f->l->idle_ns >= STALE_IDLE_NS;
}

/* Not a byte taken: a socket that was closed already answers with R, or its FIN crossed. */
static bool race_crossing(const struct facts *f)
{
	if (!silent(f) || !f->reused || !f->unacked)
		return false;
	return f->peer_fin || (f->peer_rst && !(f->l->rst_flags & W5_TCP_ACK));
}

static bool race_reset_with_ack(const struct facts *f)
{
	return silent(f) && f->reused && f->unacked && f->peer_rst && at_once(f);
}

/* The handshake looked done to us only: SYN-ACK again, or no socket for our first bytes. */
static bool accept_queue(const struct facts *f)
{
	if (!silent(f) || f->reused || !f->unacked || f->l->fin_in_ns)
		return false;
	return f->l->dup_synack || (f->peer_rst && !(f->l->rst_flags & W5_TCP_ACK));
}

static bool closed_on_request(const struct facts *f)
{
	return silent(f) && f->reused && f->acked && (f->peer_fin || f->peer_rst) && at_once(f) &&
	       !(f->up && f->up->last_fresh_death_ns &&
		 f->up->last_fresh_death_ns + FRESH_DEATH_NS > f->l->req_ns);
}

static bool reset_before_response(const struct facts *f)
{
	return silent(f) && f->peer_rst;
}

static bool closed_before_response(const struct facts *f)
{
	return silent(f) && f->peer_fin;
}

/* The kernel or the gateway gave up on a peer from which no ACK came. */
static bool gave_up_unacked(const struct facts *f)
{
	bool gave_up = f->by_gateway || (f->by_kernel && f->err == ETIMEDOUT);

	return silent(f) && gave_up && !f->acked && f->l->retrans;
}

/* Others get through to the same address meanwhile: it is this conn, not the path. */
static bool others_work(const struct facts *f)
{
	return f->path_ok_ns > f->l->req_ns || (f->up && f->up->last_connect_ok_ns > f->l->req_ns);
}

static bool zero_window(const struct facts *f)
{
	bool unsent = head_req_short(f->l) || !f->acked;

	return silent(f) && (f->l->flags & W5_F_ZERO_WND) && !f->unacked && unsent &&
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

/* Handshake done, not a byte taken, while other conns to the same port were taken in and
 * left without an answer: nobody accepts. */
static bool accept_queue_full(const struct facts *f)
{
	return gave_up_unacked(f) && !f->reused && f->unacked && f->up &&
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
	return silent(f) && f->by_kernel && one_of(f->err, EHOSTUNREACH, ENETUNREACH);
}

static bool backend_slow(const struct facts *f)
{
	return silent(f) && f->by_gateway && f->acked && f->elapsed_ns >= TIMER_MIN_NS;
}

static bool gateway_timeout(const struct facts *f)
{
	return !f->connecting && f->by_gateway && f->elapsed_ns >= TIMER_MIN_NS &&
	       (!f->l->status || f->d->status == 504);
}

/* ---- some bytes of a response ---- */

static bool unusable(const struct facts *f)
{
	return !f->connecting && f->l->resp_bytes && (!f->l->status || f->answered_badly);
}

static bool not_http(const struct facts *f)
{
	return unusable(f) && !f->l->status && (f->resp == RESP_OTHER || f->resp == RESP_TLS);
}

static bool early_response(const struct facts *f)
{
	return unusable(f) && f->l->status >= 400 && (f->peer_rst || f->peer_fin) &&
	       (f->l->req_acked < f->l->req_bytes || head_req_short(f->l));
}

static bool truncated_certain(const struct facts *f)
{
	return unusable(f) && (f->peer_fin || f->peer_rst) &&
	       (f->resp == RESP_STARTED || f->resp == RESP_HEADER) &&
	       f->l->resp_bytes <= f->l->resp_len;
}

static bool invalid_header(const struct facts *f)
{
	return unusable(f) && f->resp == RESP_BAD_HEADER;
}

/* Its status line is there and no status: "HTTP/1.1 abc". */
static bool invalid_status(const struct facts *f)
{
	return unusable(f) && !f->l->status && f->resp != RESP_STARTED && f->resp != RESP_EMPTY;
}

static bool header_too_big(const struct facts *f)
{
	return unusable(f) && f->l->status && f->resp == RESP_HEADER &&
	       f->l->resp_bytes >= HEADER_BUFFER_MIN && f->d->status != 504 && !f->peer_rst;
}

static bool truncated_likely(const struct facts *f)
{
	return unusable(f) && (f->peer_fin || f->peer_rst) && f->resp == RESP_HEADER &&
	       f->l->resp_bytes < HEADER_BUFFER_MIN;
}

/* ---- a body that ended short ---- */

static bool cut_by_peer(const struct facts *f)
{
	return f->cut && (f->peer_fin || f->peer_rst);
}

static bool pmtu_blackhole_cut(const struct facts *f)
{
	return f->cut && f->gap;
}

static bool cut_by_timer(const struct facts *f)
{
	return f->cut && f->by_gateway && f->l->end_ns >= f->l->last_ns + TIMER_MIN_NS;
}

static bool answered(const struct facts *f)
{
	return f->l->status && !f->answered_badly && f->l->status == f->d->status &&
	       f->l->status >= 500;
}

static bool answered_well(const struct facts *f)
{
	return f->l->status && !f->answered_badly;
}

static bool always(const struct facts *f)
{
	(void)f;
	return true;
}

#define CERTAIN CONFIDENCE_CERTAIN
#define LIKELY	CONFIDENCE_LIKELY

static const struct rule rules[] = {
	{ .cause = CAUSE_TRUNCATED_BODY, .at_best = CERTAIN, .test = cut_by_peer },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole_cut },
	/* Slow, or the rest was lost on the way: from here both look like this. */
	{ .cause = CAUSE_GATEWAY_TIMEOUT_LOCAL, .at_best = LIKELY, .test = cut_by_timer },
	{ .cause = CAUSE_BACKEND_5XX, .at_best = CERTAIN, .test = answered },
	{ .cause = CAUSE_NONE, .at_best = CERTAIN, .test = answered_well },
	{ .cause = CAUSE_CLIENT_ABORT, .at_best = CERTAIN, .test = client_abort },
	{ .cause = CAUSE_CLIENT_ABORT, .at_best = CERTAIN, .test = client_abort_connecting },
	/* connect */
	{ .cause = CAUSE_LOCAL_PORT_EXHAUSTED, .at_best = CERTAIN, .test = local_port_exhausted },
	{ .cause = CAUSE_NO_ROUTE, .at_best = CERTAIN, .test = no_route },
	{ .cause = CAUSE_HOST_UNREACHABLE_LOCAL,
	  .at_best = CERTAIN,
	  .test = host_unreachable_local },
	{ .cause = CAUSE_HOST_UNREACHABLE_ICMP, .at_best = CERTAIN, .test = host_unreachable_icmp },
	{ .cause = CAUSE_CONN_REFUSED_FIREWALL, .at_best = LIKELY, .test = refused_by_icmp },
	{ .cause = CAUSE_CONN_REFUSED_FIREWALL, .at_best = LIKELY, .test = refused_by_other_ttl },
	{ .cause = CAUSE_CONN_REFUSED, .at_best = CERTAIN, .test = refused },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_syn },
	{ .cause = CAUSE_CONN_TIMEOUT_SYN, .at_best = CERTAIN, .test = conn_timeout_syn },
	/* TLS */
	{ .cause = CAUSE_TLS_PLAINTEXT_MISMATCH, .at_best = CERTAIN, .test = tls_mismatch },
	{ .cause = CAUSE_TLS_HANDSHAKE_FAILED, .at_best = LIKELY, .test = tls_failed },
	/* no byte came */
	{ .cause = CAUSE_MIDDLEBOX_RESET, .at_best = LIKELY, .test = middlebox_reset },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = CERTAIN, .test = race_fin_first },
	{ .cause = CAUSE_CLOSED_BEFORE_RESPONSE, .at_best = CERTAIN, .test = fresh_fin_first },
	{ .cause = CAUSE_STALE_CONNECTION_RESET, .at_best = LIKELY, .test = stale_reset },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = CERTAIN, .test = race_crossing },
	{ .cause = CAUSE_KEEPALIVE_RACE, .at_best = LIKELY, .test = race_reset_with_ack },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue },
	{ .cause = CAUSE_KEEPALIVE_CLOSED_ON_REQUEST, .at_best = LIKELY, .test = closed_on_request },
	{ .cause = CAUSE_RESET_BEFORE_RESPONSE, .at_best = CERTAIN, .test = reset_before_response },
	{ .cause = CAUSE_CLOSED_BEFORE_RESPONSE,
	  .at_best = CERTAIN,
	  .test = closed_before_response },
	{ .cause = CAUSE_ZERO_WINDOW, .at_best = CERTAIN, .test = zero_window },
	{ .cause = CAUSE_STALE_CONNECTION_BLACKHOLE, .at_best = LIKELY, .test = stale_blackhole },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole },
	{ .cause = CAUSE_ACCEPT_QUEUE_OVERFLOW, .at_best = LIKELY, .test = accept_queue_full },
	{ .cause = CAUSE_PATH_LOSS, .at_best = LIKELY, .test = path_loss_from_start },
	{ .cause = CAUSE_PATH_LOSS, .at_best = CERTAIN, .test = path_loss },
	{ .cause = CAUSE_HOST_UNREACHABLE_ICMP, .at_best = LIKELY, .test = path_unreachable },
	{ .cause = CAUSE_PMTU_BLACKHOLE, .at_best = LIKELY, .test = pmtu_blackhole_back },
	{ .cause = CAUSE_BACKEND_SLOW, .at_best = CERTAIN, .test = backend_slow },
	/* some bytes came */
	{ .cause = CAUSE_NOT_HTTP, .at_best = CERTAIN, .test = not_http },
	{ .cause = CAUSE_EARLY_RESPONSE_RESET, .at_best = LIKELY, .test = early_response },
	{ .cause = CAUSE_TRUNCATED_HEADER, .at_best = CERTAIN, .test = truncated_certain },
	{ .cause = CAUSE_INVALID_HEADER, .at_best = CERTAIN, .test = invalid_header },
	{ .cause = CAUSE_INVALID_HEADER, .at_best = LIKELY, .test = invalid_status },
	{ .cause = CAUSE_HEADER_TOO_BIG, .at_best = LIKELY, .test = header_too_big },
	{ .cause = CAUSE_TRUNCATED_HEADER, .at_best = LIKELY, .test = truncated_likely },
	{ .cause = CAUSE_GATEWAY_TIMEOUT_LOCAL, .at_best = CERTAIN, .test = gateway_timeout },
	{ .cause = CAUSE_INSUFFICIENT_EVIDENCE, .at_best = LIKELY, .test = always },
};

const struct rule *rule_of(const struct facts *f)
{
	const struct rule *r = rules;

	while (!r->test(f))
		r++;
	return r;
}
