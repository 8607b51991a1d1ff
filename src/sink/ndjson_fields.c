/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson_fields.h. Names are documented in man/why502.8 (OUTPUT: NDJSON). */
#include "sink/ndjson_fields.h"

#include <string.h>

#include "base/dns.h"
#include "base/text.h"
#include "base/util.h"
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

static void put_idle(struct json *j, const struct finding_idle *t)
{
	if (!t->backend_ms && !t->said_ms && !t->gateway_ms && !t->max)
		return;
	json_open(j, "idle_timers", '{');
	ndjson_known(j, "backend_ms", t->backend_ms);
	ndjson_known(j, "seen", t->closed);
	ndjson_known(j, "keep_alive_ms", t->said_ms);
	ndjson_known(j, "keep_alive_max", t->max);
	ndjson_known(j, "gateway_ms", t->gateway_ms);
	ndjson_known(j, "gateway_elsewhere_ms", t->elsewhere_ms);
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
	ndjson_end(j, l);
	ndjson_h2(j, l);
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
		ndjson_attempt(j, f, i);
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
	if (ndjson_alert_in(&a->leg) & 0xff)
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
	if (finding_unread(f))
		json_bool(j, "status_unread", true);
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
	put_idle(j, &f->idle);
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
