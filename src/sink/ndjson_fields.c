/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson_fields.h. Names are documented in man/why502.8 (OUTPUT: NDJSON). */
#include "sink/ndjson_fields.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "engine/codes.h"
#include "base/dns.h"
#include "engine/head.h"
#include "engine/tlshello.h"
#include "sink/facet.h"
#include "sink/names.h"

void ndjson_time(struct json *j, const char *key, uint64_t wall_ns)
{
	char text[TEXT_TIME_MAX];

	text_time_utc(text, sizeof(text), wall_ns);
	json_str(j, key, text);
}

void ndjson_endpoint(struct json *j, const char *key, const struct w5_addr *a, uint16_t port)
{
	char ip[TEXT_ADDR_MAX];

	text_addr(ip, sizeof(ip), a);
	json_open(j, key, '{');
	json_str(j, "ip", ip);
	json_uint(j, "port", port);
	json_close(j, '}');
}

/* Absent means not known: these leave out zero and "". */
void ndjson_known(struct json *j, const char *key, uint64_t val)
{
	if (val)
		json_uint(j, key, val);
}

void ndjson_known_str(struct json *j, const char *key, const char *val)
{
	if (*val)
		json_str(j, key, val);
}

void ndjson_known_span(struct json *j, const char *key, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns && to_ns >= from_ns)
		json_ms(j, key, (int64_t)(to_ns - from_ns));
}

static void put_errno(struct json *j, const char *key, unsigned int err)
{
	char name[32];

	if (!err)
		return;
	text_errno(name, sizeof(name), err);
	json_str(j, key, name);
}

/* How the conn ended: the packets that came in keep their own facts. */
static void put_end(struct json *j, const struct w5_leg *l)
{
	ndjson_known_str(j, "end", end_name(l->end));
	put_errno(j, "err", l->err);
	put_errno(j, "err_soft", l->err_soft);
	if (l->rst_in_ns) {
		json_open(j, "rst", '{');
		ndjson_known(j, "ttl", l->rst_ttl);
		json_bool(j, "ack", l->rst_flags & W5_TCP_ACK);
		json_uint(j, "win", l->rst_win);
		json_uint(j, "ipid", l->rst_ipid);
		json_close(j, '}');
	}
	if (l->fin_in_ns) {
		json_open(j, "fin", '{');
		ndjson_known(j, "ttl", l->fin_ttl);
		json_close(j, '}');
	}
	ndjson_known(j, "reset_reason", l->reason);
}

static void put_alert(struct json *j, uint16_t alert, const char *from)
{
	const char *name = tls_alert_name(alert & 0xff);

	if (!(alert & 0xff)) /* none, or close_notify */
		return;
	json_open(j, "alert", '{');
	json_uint(j, "number", alert & 0xff);
	if (name)
		json_str(j, "name", name);
	json_str(j, "from", from);
	json_close(j, '}');
}

static uint16_t alert_in(const struct w5_leg *l)
{
	return l->alert_in ? l->alert_in
			   : tls_alert_in_clear(l->resp, min_size(l->resp_len, W5_HEAD_RESP));
}

/* What is read of a handshake that did not get through; later the ClientHello is not kept. */
static void put_tls(struct json *j, const struct w5_leg *l)
{
	uint16_t chosen = tls_server_version(l->resp, min_size(l->resp_len, W5_HEAD_RESP));
	char name[W5_HEAD_REQ + 1];
	struct tls_hello h;

	if (!(l->flags & W5_F_HANDSHAKE))
		return;
	json_open(j, "tls", '{');
	if (tls_hello_parse(&h, l->head, min_size(l->head_len, W5_HEAD_REQ))) {
		span_copy(name, sizeof(name), h.sni);
		ndjson_known_str(j, "sni", name);
		if (h.versions_known) {
			json_str(j, "oldest", tls_version_name(h.oldest));
			json_str(j, "newest", tls_version_name(h.newest));
		}
	}
	if (chosen)
		json_str(j, "chosen", tls_version_name(chosen));
	if (alert_in(l) & 0xff)
		put_alert(j, alert_in(l), "backend");
	else
		put_alert(j, l->alert_out, "gateway");
	json_close(j, '}');
}

static void put_h2(struct json *j, const struct w5_leg *l)
{
	static const struct {
		const char *frame, *from;
	} ends[] = {
		[W5_H2_NONE] = { NULL, NULL },
		[W5_H2_RST_IN] = { "RST_STREAM", "peer" },
		[W5_H2_RST_OUT] = { "RST_STREAM", "gateway" },
		[W5_H2_GOAWAY_IN] = { "GOAWAY", "peer" },
		[W5_H2_GOAWAY_OUT] = { "GOAWAY", "gateway" },
	};
	char text[CODE_TEXT_MAX];

	if (!l->stream)
		return;
	json_open(j, "h2", '{');
	json_uint(j, "stream", l->stream);
	if (l->h2_end && l->h2_end < ARRAY_SIZE(ends)) {
		json_str(j, "ended_by", ends[l->h2_end].frame);
		json_str(j, "from", ends[l->h2_end].from);
		json_str(j, "error", h2_error_text(text, l->h2_error));
	}
	if (l->grpc_status)
		json_uint(j, "grpc_status", l->grpc_status - 1u);
	json_close(j, '}');
}

static void put_attempt_times(struct json *j, const struct finding *f, const struct w5_leg *l)
{
	uint64_t start_ns = l->nr > 1 || !l->open_ns ? l->req_ns : l->open_ns;

	/* Relative to the client's request; a conn opened ahead of it starts below zero. */
	if (f->req_ns && start_ns)
		json_ms(j, "start_ms", (int64_t)(start_ns - f->req_ns));
	if (f->req_ns && l->end_ns)
		json_ms(j, "end_ms", (int64_t)(l->end_ns - f->req_ns));
	if (l->end != W5_END_CONNECT)
		ndjson_known_span(j, "connect_ms", l->open_ns, l->estab_ns);
	ndjson_known_span(j, "ttfb_ms", l->req_ns, l->resp_ns);
	if (l->idle_ns)
		json_ms(j, "idle_ms", (int64_t)l->idle_ns);
}

static void put_upstream(struct json *j, const struct w5_leg *l)
{
	char path[4 * W5_UNIX_PATH + 1];

	if (!w5_addr_is_path(&l->remote)) {
		ndjson_endpoint(j, "upstream", &l->remote, l->rport);
		return;
	}
	text_path(path, sizeof(path), l->head, min_size(l->head_len, W5_UNIX_PATH));
	json_open(j, "upstream", '{');
	json_str(j, "path", path);
	json_close(j, '}');
}

static void put_killed(struct json *j, const struct w5_killed *k)
{
	char signal[CODE_TEXT_MAX];

	if (!k->signal)
		return;
	json_open(j, "killed", '{');
	json_uint(j, "pid", k->tgid);
	ndjson_known_str(j, "name", k->comm);
	json_str(j, "signal", signal_text(signal, k->signal));
	json_bool(j, "oom", k->oom);
	json_close(j, '}');
}

static void put_ports(struct json *j, const struct w5_limit *p)
{
	if (!p->limit)
		return;
	json_open(j, "ports", '{');
	json_uint(j, "first", p->port_lo);
	json_uint(j, "last", p->port_hi);
	ndjson_known(j, "sockets", p->used);
	ndjson_known(j, "time_wait", p->waiting);
	json_close(j, '}');
}

static void put_attempt(struct json *j, const struct finding *f, size_t i)
{
	const struct attempt *a = &f->attempts[i];
	const struct w5_leg *l = &a->leg;

	json_open(j, NULL, '{');
	json_uint(j, "n", i + 1);
	put_upstream(j, l);
	if (l->lport)
		ndjson_endpoint(j, "local", &l->local, l->lport);
	else if (l->phase == W5_PHASE_CONNECT && !l->syn_sent && !w5_addr_is_path(&l->remote))
		json_bool(j, "no_packet", true);
	if (l->nr)
		json_uint(j, "reused", l->nr - 1);
	if (l->flags & W5_F_OLDER)
		json_bool(j, "older",
			  true); /* the conn is older than why502: reused is a minimum */
	put_attempt_times(j, f, l);
	if (l->req_bytes) {
		json_uint(j, "request_bytes", l->req_bytes);
		json_bool(j, "request_acked", l->req_acked >= l->req_bytes);
	}
	ndjson_known(j, "status", l->status);
	ndjson_known(j, "response_bytes", l->resp_bytes);
	put_end(j, l);
	put_tls(j, l);
	put_h2(j, l);
	ndjson_known(j, "synack_ttl", l->synack_ttl);
	json_uint(j, "retransmits", l->retrans);
	ndjson_known(j, "syn", l->syn_sent);
	ndjson_known(j, "rto_count", l->rto_count);
	ndjson_known(j, "srtt_us", l->srtt_us);
	if (l->flags & W5_F_LOCAL_UNREACH)
		json_bool(j, "neighbour_failed", true);
	if (l->flags & W5_F_ZERO_WND)
		json_bool(j, "zero_window", true);
	if (l->flags & W5_F_NOT_HTTP)
		json_bool(j, "not_http", true);
	put_killed(j, &a->killed);
	put_ports(j, &a->ports);
	if (a->doubtful)
		json_bool(j, "doubtful", true);
	json_str(j, "cause", cause_name(a->cause));
	json_close(j, '}');
}

static void put_timer(struct json *j, const struct finding_timer *t)
{
	if (!t->seen)
		return;
	json_open(j, "timer", '{');
	json_str(j, "phase", timer_phase_name(t->phase));
	json_ms(j, "ms", (int64_t)t->ns);
	json_uint(j, "seen", t->seen);
	if (t->late_seen) {
		json_open(j, "late_answers", '{');
		json_uint(j, "seen", t->late_seen);
		json_ms(j, "shortest_ms", (int64_t)t->late_shortest_ns);
		json_ms(j, "longest_ms", (int64_t)t->late_longest_ns);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void put_gateway(struct json *j, const struct finding *f)
{
	json_open(j, "gateway", '{');
	ndjson_known_str(j, "name", f->gateway_name);
	ndjson_known(j, "pid", f->down.tgid);
	ndjson_known(j, "tid", f->down.tid);
	ndjson_known(j, "group", f->gateway_group);
	ndjson_known_str(j, "cgroup", f->gateway_cgroup);
	json_close(j, '}');
}

static void put_request(struct json *j, const struct finding *f)
{
	char endpoint[FACET_LABEL_MAX];

	json_open(j, "request", '{');
	ndjson_known_str(j, "method", f->method);
	ndjson_known_str(j, "target", f->target);
	ndjson_known_str(j, "host", f->host);
	if (f->target[0]) {
		facet_label(endpoint, sizeof(endpoint), FACET_ENDPOINT, f);
		json_str(j, "endpoint", endpoint);
	}
	ndjson_known_str(j, "id", f->request_id);
	if (f->down.flags & W5_F_REQ_CUT)
		json_bool(j, "cut", true);
	json_close(j, '}');
}

/* A log knows nothing of the conn, and of the client perhaps its address alone. */
static void put_logged_client(struct json *j, const struct finding *f)
{
	char ip[TEXT_ADDR_MAX] = "";

	if (finding_has_client(f))
		text_addr(ip, sizeof(ip), &f->down.remote);
	else if (!f->down.rport)
		return;
	json_open(j, "client", '{');
	ndjson_known_str(j, "ip", ip);
	ndjson_known(j, "port", f->down.rport);
	json_close(j, '}');
}

static void put_downstream(struct json *j, const struct finding *f)
{
	const struct w5_leg *l = &f->down;

	if (f->sight == SIGHT_LOG || !finding_has_client(f)) {
		put_logged_client(j, f);
		return;
	}
	ndjson_endpoint(j, "client", &l->remote, l->rport);
	json_open(j, "downstream", '{');
	ndjson_endpoint(j, "local", &l->local, l->lport);
	if (l->nr)
		json_uint(j, "reused", l->nr - 1);
	ndjson_known(j, "request_bytes", l->req_bytes);
	ndjson_known(j, "response_bytes", l->resp_bytes);
	put_end(j, l);
	put_h2(j, l);
	json_close(j, '}');
}

static void put_files(struct json *j, const struct w5_limit *l)
{
	if (!l->limit)
		return;
	json_open(j, "files", '{');
	json_uint(j, "pid", l->tgid);
	json_uint(j, "limit", l->limit);
	json_close(j, '}');
}

static void put_lists(struct json *j, const struct finding *f)
{
	json_open(j, "attempts", '[');
	for (size_t i = 0; i < f->nattempts; i++)
		put_attempt(j, f, i);
	json_close(j, ']');
	json_open(j, "evidence", '[');
	for (size_t i = 0; i < min_size(f->nevidence, FINDING_EVIDENCE_MAX); i++)
		json_str(j, NULL, f->evidence[i]);
	json_close(j, ']');
	json_open(j, "witness", '[');
	for (unsigned int bit = 0; bit < WITNESS_COUNT; bit++) {
		if (f->witness & 1u << bit)
			json_str(j, NULL, witness_name(bit));
	}
	json_close(j, ']');
}

/* RFC 9209 2.3 has finer words for a handshake whose alert is known, and for a silent resolver. */
static const char *proxy_status(const struct finding *f)
{
	const struct attempt *a = finding_last_attempt(f);
	unsigned int out = a ? a->leg.alert_out & 0xff : 0;

	if (f->cause == CAUSE_DNS_FAILURE && f->dns.unanswered)
		return "dns_timeout";
	if (f->cause != CAUSE_TLS_HANDSHAKE_FAILED || !a)
		return cause_proxy_status(f->cause);
	if (alert_in(&a->leg) & 0xff)
		return "tls_alert_received";
	/* bad_certificate to certificate_unknown, unknown_ca */
	return (out >= 42 && out <= 46) || out == 48 ? "tls_certificate_error"
						     : cause_proxy_status(f->cause);
}

static void put_dns(struct json *j, const struct finding_dns *d)
{
	char text[32], ip[TEXT_ADDR_MAX];

	if (!d->asked)
		return;
	text_addr(ip, sizeof(ip), &d->server);
	json_open(j, "dns", '{');
	json_str(j, "name", d->name);
	json_str(j, "server", ip);
	json_uint(j, "asked", d->asked);
	json_bool(j, "answered", !d->unanswered);
	if (!d->unanswered) {
		dns_rcode_text(text, d->rcode);
		text[strcspn(text, " ")] = '\0';
		json_str(j, "rcode", text);
	}
	json_close(j, '}');
}

void ndjson_finding(struct json *j, const struct finding *f, const char *pcap)
{
	json_open(j, NULL, '{');
	json_str(j, "type", "finding");
	json_uint(j, "id", f->id);
	ndjson_time(j, "ts", f->wall_ns);
	ndjson_known(j, "status", f->status);
	json_bool(j, "silent", f->verdict == VERDICT_SILENT);
	json_str(j, "verdict", verdict_name(f->verdict));
	json_str(j, "cause", cause_name(f->cause));
	json_str(j, "confidence", confidence_name(f->confidence));
	json_str(j, "status_witness", sight_name(f->sight));
	if (f->precision_ns)
		json_ms(j, "precision_ms", (int64_t)f->precision_ns);
	ndjson_known_str(j, "log_code", f->log_code);
	ndjson_known_str(j, "proxy_status", proxy_status(f));
	if (f->req_ns)
		json_ms(j, "duration_ms", (int64_t)f->duration_ns);
	put_gateway(j, f);
	put_request(j, f);
	put_downstream(j, f);
	put_dns(j, &f->dns);
	if (f->pool.in_use) {
		json_open(j, "pool", '{');
		ndjson_endpoint(j, "upstream", &f->pool.ip, f->pool.port);
		json_uint(j, "in_use", f->pool.in_use);
		json_close(j, '}');
	}
	put_timer(j, &f->timer);
	put_lists(j, f);
	put_files(j, &f->limit);
	ndjson_known_str(j, "why", f->why);
	ndjson_known_str(j, "next", f->next);
	ndjson_known(j, "linked", f->linked_id);
	json_uint(j, "lost", f->lost);
	if (pcap)
		json_str(j, "pcap", pcap);
	json_close(j, '}');
}
