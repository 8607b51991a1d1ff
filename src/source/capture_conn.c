/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to a gateway's end of a conn besides bytes: opened, closed, reset, unreachable,
 * packets kept, bytes missing. By the rules of bpf/control.h and bpf/closed.h, from packets alone:
 * where the kernel sees a state change of the socket, here its packet must do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/capture_impl.h"

struct side *side_new(struct capture *c, struct track *t, int end)
{
	struct side *d = calloc(1, sizeof(*d));
	struct w5_leg *l;

	if (!d)
		return NULL;
	d->t = t;
	d->end = end;
	list_init(&d->node);
	list_init(&d->by_owner);
	list_init(&d->tries);
	l = &d->leg;
	l->h.cookie = ++c->cookies;
	l->role = end ? W5_ROLE_DOWNSTREAM : W5_ROLE_UPSTREAM;
	l->local = t->conn.ip[end];
	l->lport = t->conn.port[end];
	l->remote = t->conn.ip[!end];
	l->rport = t->conn.port[!end];
	l->phase = W5_PHASE_IDLE;
	if (!t->has_syn)
		l->flags = W5_F_OLDER;
	d->gw = end ? capture_service_gw(c, &l->local, l->lport) : capture_source_gw(c, &l->local);
	l->tgid = (uint32_t)d->gw + 1; /* which gateway; the engine knows that it is no process */
	return d;
}

void side_free(struct side *d)
{
	if (!d)
		return;
	owner_free(d);
	free(d);
}

void side_keep(struct side *d, const uint8_t *ip, size_t cap, size_t len, bool out, uint64_t ts_ns)
{
	struct w5_packet *p = &d->flight.pkt[d->packets++ % W5_PKT_SLOTS];

	memset(p, 0, sizeof(*p));
	p->ts_ns = ts_ns;
	p->len = (uint32_t)min_size(len, UINT32_MAX);
	p->cap = (uint16_t)min_size(cap, W5_PKT_BYTES);
	p->out = out;
	memcpy(p->data, ip, p->cap);
}

/* ---- opened ---- */

#define PEERS_MAX 4096

/* When a conn to the same peer was last established: 0 = not known. */
static uint64_t *established_at(struct capture *c, const struct side *d, bool make)
{
	uint64_t key = capture_server_key(&d->leg.remote, d->leg.rport);
	uint64_t *when = hash_find(&c->established, key);

	if (when || !make || c->established.count >= PEERS_MAX)
		return when;
	when = calloc(1, sizeof(*when));
	if (!when || hash_insert(&c->established, key, when)) {
		free(when);
		return NULL;
	}
	return when;
}

void side_established(struct capture *c, struct side *d, uint64_t ts_ns)
{
	uint64_t *when;

	if (d->leg.phase != W5_PHASE_CONNECT)
		return;
	when = established_at(c, d, true);
	if (when)
		*when = ts_ns;
	d->leg.estab_ns = ts_ns;
	d->leg.phase = W5_PHASE_IDLE;
	list_remove(&d->node);
}

void side_syn(struct capture *c, struct side *d, const struct seg *s, bool out)
{
	struct w5_leg *l = &d->leg;
	bool is_answer = s->flags & W5_TCP_ACK;

	if (l->role == W5_ROLE_DOWNSTREAM) {
		if (!is_answer && !out && !l->open_ns)
			l->open_ns = l->estab_ns = s->ts_ns;
		return;
	}
	if (!is_answer && out) {
		if (!l->syn_sent) {
			l->phase = W5_PHASE_CONNECT;
			l->open_ns = s->ts_ns;
			owner_of_connect(c, d, s->ts_ns);
		}
		/* Once more: has the port let others in meanwhile? */
		if (l->syn_sent++ && l->phase == W5_PHASE_CONNECT) {
			const uint64_t *when = established_at(c, d, false);

			l->estab_ns = when ? *when : 0;
		}
		return;
	}
	if (!is_answer || out)
		return;
	if (l->phase != W5_PHASE_CONNECT) {
		l->dup_synack++;
		return;
	}
	l->synack_ttl = s->ttl;
	l->synack_mss = s->mss;
	side_established(c, d, s->ts_ns);
}

/* ---- closed, reset, unreachable ---- */

/* The gateway closes its side. */
static void local_close(struct capture *c, struct side *d, uint8_t end, uint64_t ts_ns)
{
	struct w5_leg *l = &d->leg;

	d->closed = true;
	if (l->role == W5_ROLE_DOWNSTREAM && w5_down_may_wait(l) && (l->fin_in_ns || l->alert_in) &&
	    !w5_down_was_left(l))
		end = W5_END_FIN_IN; /* the client was the first to leave */
	if (!side_end_once(d, end, ts_ns))
		return;
	side_facts(d);
	side_tell_end(c, d, ts_ns);
}

static void fin_in(struct capture *c, struct side *d, const struct seg *s, bool in_order)
{
	struct w5_leg *l = &d->leg;

	if (!l->fin_in_ns) {
		l->fin_in_ns = s->ts_ns;
		l->fin_ttl = s->ttl;
		l->fin_flags = s->flags;
	}
	if (!in_order || l->phase == W5_PHASE_CONNECT)
		return;
	if (l->role == W5_ROLE_DOWNSTREAM && w5_down_may_wait(l))
		return;
	side_acked(d, s->ack);
	if (!side_end_once(d, W5_END_FIN_IN, s->ts_ns))
		return;
	side_facts(d);
	side_tell_end(c, d, s->ts_ns);
}

void side_fin(struct capture *c, struct side *d, const struct seg *s, bool out, bool in_order)
{
	if (d->is_deaf)
		return;
	if (!out) {
		fin_in(c, d, s, in_order);
		return;
	}
	if (!d->leg.fin_out_ns)
		d->leg.fin_out_ns = s->ts_ns;
	local_close(c, d, W5_END_FIN_OUT, s->ts_ns);
}

/* RFC 9293 3.10.7.3: only one that acknowledges the SYN counts. */
static void rst_of_connect(struct capture *c, struct side *d, const struct seg *s)
{
	if (!(s->flags & W5_TCP_ACK) || s->ack != d->t->isn + 1 ||
	    !side_end_once(d, W5_END_CONNECT, s->ts_ns))
		return;
	list_remove(&d->node);
	d->leg.err = ECONNREFUSED;
	side_facts(d);
	side_tell_end(c, d, s->ts_ns);
}

static void rst_in(struct capture *c, struct side *d, const struct seg *s)
{
	const struct flow *in = &d->t->flow[!d->end];
	struct w5_leg *l = &d->leg;
	uint64_t when = s->ts_ns;
	uint8_t end = W5_END_RST_IN;

	if (d->reported)
		return;
	l->rst_in_ns = s->ts_ns;
	l->rst_ttl = s->ttl;
	l->rst_flags = s->flags;
	l->rst_win = s->win;
	l->rst_ipid = s->ipid;
	l->rst_seq = s->seq;
	l->rst_ack = s->ack;
	if (l->phase == W5_PHASE_CONNECT) {
		rst_of_connect(c, d, s);
		return;
	}
	/* Not exactly in sequence: answered with an ACK, not obeyed (RFC 5961 3.2). */
	if (in->begun && s->seq != in->next)
		return;
	if (s->flags & W5_TCP_ACK)
		side_acked(d, s->ack);
	if (l->fin_in_ns && l->role == W5_ROLE_UPSTREAM) {
		end = W5_END_FIN_IN;
		when = l->fin_in_ns;
	}
	if (w5_down_was_left(l))
		end = W5_END_FIN_OUT;
	if (!side_end_once(d, end, when))
		return;
	side_facts(d);
	side_tell_end(c, d, s->ts_ns);
}

void side_rst(struct capture *c, struct side *d, const struct seg *s, bool out)
{
	if (d->is_deaf)
		return;
	if (!out) {
		rst_in(c, d, s);
		return;
	}
	if (!d->leg.rst_out_ns)
		d->leg.rst_out_ns = s->ts_ns;
	tell_late(c, d, s->ts_ns);
	if (d->leg.phase == W5_PHASE_CONNECT)
		return; /* to a SYN-ACK it no longer wants: it gave up before */
	local_close(c, d, W5_END_RST_OUT, s->ts_ns);
}

void side_unreachable(struct capture *c, struct side *d, const struct icmp_error *e, uint64_t ts_ns)
{
	struct w5_leg *l = &d->leg;

	if (d->leg.role != W5_ROLE_UPSTREAM)
		return;
	if (l->phase != W5_PHASE_CONNECT) {
		l->err_soft = (uint16_t)e->err;
		return;
	}
	if (!side_end_once(d, W5_END_CONNECT, ts_ns))
		return;
	list_remove(&d->node);
	l->err = (uint16_t)e->err;
	l->icmp_from = e->from;
	l->icmp_type = e->type;
	l->icmp_code = e->code;
	if (capture_same_ip(&e->from, &l->local))
		l->flags |= W5_F_LOCAL_UNREACH;
	side_facts(d);
	side_tell_end(c, d, ts_ns);
}

/* ---- what the capture does not have, or has twice ---- */

/*
 * Where a head may be among the bytes that are missing, the turn is not judged: it is as if it had
 * been answered, by nobody knows what. The engine hears of the loss (tell_counters()).
 */
void side_gap(struct capture *c, struct side *d, uint32_t n, bool out, uint64_t ts_ns)
{
	struct w5_leg *l = &d->leg;
	bool is_answer = out == (l->role == W5_ROLE_DOWNSTREAM);

	if (d->is_deaf)
		return;
	side_established(c, d, ts_ns);
	l->last_ns = ts_ns;
	tell_counters(c, ts_ns);
	if (is_answer)
		d->ntail = 0;
	if (is_answer && l->phase == W5_PHASE_RESPONSE) {
		l->resp_bytes += n;
	} else if (is_answer && l->phase == W5_PHASE_REQUEST) {
		list_remove(&d->node);
		l->phase = W5_PHASE_RESPONSE;
		d->reported = true;
	} else if (!is_answer && l->phase == W5_PHASE_REQUEST) {
		l->req_bytes += n;
	} else if (!is_answer && !w5_leg_veiled(l)) {
		l->phase = W5_PHASE_IDLE; /* a request, perhaps */
		l->req_ns = l->req_last_ns = 0;
		l->head_len = 0;
		l->resp_len = 0;
		l->resp_bytes = 0;
		l->status = 0;
		d->reported = true;
	}
}

void side_lost(struct capture *c, struct side *d, uint64_t ts_ns)
{
	c->n.missing++;
	tell_counters(c, ts_ns);
	d->reported = true;
	if (d->leg.phase == W5_PHASE_REQUEST)
		d->leg.phase = W5_PHASE_RESPONSE;
}

#define RTO_MIN_NS (190 * NS_PER_MS) /* RFC 6298 says 1 s; Linux has 200 ms */

void side_again(struct side *d, const struct seg *s)
{
	struct flow *f = &d->t->flow[d->end];

	d->sent_again++;
	if (s->ts_ns > f->again_ns + RTO_MIN_NS && d->leg.rto_count < UINT16_MAX)
		d->leg.rto_count++;
	f->again_ns = s->ts_ns;
	f->rtt_runs = false;
	if (d->leg.phase == W5_PHASE_CONNECT)
		d->leg.retrans = (uint16_t)min_size(d->sent_again, UINT16_MAX);
}
