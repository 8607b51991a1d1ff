/* SPDX-License-Identifier: BSD-2-Clause */
/* A turn on a conn as NDJSON: an attempt, its end, what is read of TLS and HTTP/2. */
#include "base/text.h"
#include "base/util.h"
#include "engine/codes.h"
#include "engine/head.h"
#include "engine/tlshello.h"
#include "sink/names.h"
#include "sink/ndjson_fields.h"

static void put_errno(struct json *j, const char *key, unsigned int err)
{
	char name[32];

	if (!err)
		return;
	text_errno(name, sizeof(name), err);
	json_str(j, key, name);
}

/* How the conn ended: the packets that came in keep their own facts. */
void ndjson_end(struct json *j, const struct w5_leg *l)
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

uint16_t ndjson_alert_in(const struct w5_leg *l)
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
	if (ndjson_alert_in(l) & 0xff)
		put_alert(j, ndjson_alert_in(l), "backend");
	else
		put_alert(j, l->alert_out, "gateway");
	json_close(j, '}');
}

void ndjson_h2(struct json *j, const struct w5_leg *l)
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

void ndjson_attempt(struct json *j, const struct finding *f, size_t i)
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
	ndjson_end(j, l);
	put_tls(j, l);
	ndjson_h2(j, l);
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
