// SPDX-License-Identifier: BSD-2-Clause
/*
 * lab-tracecat FILE [TEXT]: each record of a trace (why502 -w FILE) as one line of
 * name=value; only lines that hold TEXT. Times in microseconds since the first record.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "source/trace.h"

struct cat {
	const char *text;
	uint64_t start_ns;
};

static const char *const types[W5_REC_TYPE_MAX] = {
	[W5_REC_SESSION] = "session", [W5_REC_TICK] = "tick",	  [W5_REC_STATS] = "stats",
	[W5_REC_GATEWAY] = "gateway", [W5_REC_LISTEN] = "listen", [W5_REC_EXCHANGE] = "exchange",
	[W5_REC_ATTEMPT] = "attempt", [W5_REC_END] = "end",	  [W5_REC_PACKETS] = "packets",
	[W5_REC_OPEN] = "open",	      [W5_REC_TEXT] = "text",	  [W5_REC_LOG] = "log",
	[W5_REC_DNS] = "dns",	      [W5_REC_POOL] = "pool",	  [W5_REC_NAME] = "name",
	[W5_REC_LIMIT] = "limit",     [W5_REC_KILLED] = "killed", [W5_REC_UNIX] = "unix",
	[W5_REC_HOST] = "host",	      [W5_REC_LATE] = "late",	  [W5_REC_UNIX_OPEN] = "unix-open",
};
static const char *const ends[W5_END_MAX] = {
	[W5_END_NONE] = "-",	      [W5_END_FIN_IN] = "fin-in",   [W5_END_RST_IN] = "rst-in",
	[W5_END_FIN_OUT] = "fin-out", [W5_END_RST_OUT] = "rst-out", [W5_END_SK_ERR] = "sk-err",
	[W5_END_CONNECT] = "connect",
};
static const char *const phases[] = { "connect", "idle", "request", "response" };
static const char *const roles[] = { "?", "down", "up" };

static double us(const struct cat *c, uint64_t ns)
{
	return ns ? ((double)ns - (double)c->start_ns) / 1000 : 0;
}

static const char *name_of(const char *const *names, size_t n, size_t i)
{
	return i < n && names[i] ? names[i] : "?";
}
#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), i)

static size_t put_addr(char *out, size_t cap, const struct w5_addr *a, unsigned port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char ip[INET6_ADDRSTRLEN];

	if (!memcmp(a->ip, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, a->ip + 12, ip, sizeof(ip));
	else
		inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
	return (size_t)snprintf(out, cap, "%s/%u", ip, port);
}

static void put_leg(const struct cat *c, char *out, size_t cap, const struct w5_hdr *rec)
{
	struct w5_leg l = { 0 };
	char local[64], remote[64], line[W5_HEAD_REQ + 1];
	size_t n;

	memcpy(&l, rec, rec->size < sizeof(l) ? rec->size : sizeof(l));
	put_addr(local, sizeof(local), &l.local, l.lport);
	put_addr(remote, sizeof(remote), &l.remote, l.rport);
	n = l.head_len < W5_HEAD_REQ ? l.head_len : W5_HEAD_REQ;
	memcpy(line, l.head, n);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	snprintf(out, cap,
		 " %s %s-%s nr=%u phase=%s end=%s status=%u err=%u/%u flags=%#x tid=%u/%u"
		 " open=%.0f req=%.0f-%.0f resp=%.0f end=%.0f fin-in=%.0f fin-out=%.0f"
		 " rst-in=%.0f rst-out=%.0f last=%.0f idle=%.0f hint=%" PRIu64 "@%.0f after=%u"
		 " bytes=%u/%u acked=%u retrans=%u syn=%u state=%u size=%u head=%u resp=%u \"%s\"",
		 NAME_OF(roles, l.role), local, remote, l.nr, NAME_OF(phases, l.phase),
		 NAME_OF(ends, l.end), l.status, l.err, l.err_soft, l.flags, l.tgid, l.tid,
		 us(c, l.open_ns), us(c, l.req_ns), us(c, l.req_last_ns), us(c, l.resp_ns),
		 us(c, l.end_ns), us(c, l.fin_in_ns), us(c, l.fin_out_ns), us(c, l.rst_in_ns),
		 us(c, l.rst_out_ns), us(c, l.last_ns), (double)l.idle_ns / 1000, l.hint_cookie,
		 us(c, l.hint_ns), l.after, l.req_bytes, l.resp_bytes, l.req_acked, l.retrans,
		 l.syn_sent, l.tcp_state, rec->size, l.head_len, l.resp_len, line);
}

static void put_gateway(char *out, size_t cap, const struct w5_hdr *rec)
{
	const struct w5_gateway *g = (const void *)rec;

	if (rec->size >= sizeof(*g))
		snprintf(out, cap, " %.16s tgid=%u group=%u flags=%#x cgroup=%.128s", g->comm,
			 g->tgid, g->group, g->flags, g->cgroup);
}

/* A message's first line, or a frame's header and the start of its payload. */
static void put_text(const struct cat *c, char *out, size_t cap, const struct w5_hdr *rec)
{
	const struct w5_text *t = (const void *)rec;
	char data[80] = "";
	size_t n = t->len, at = 0;

	if (rec->size < sizeof(*t) || n > rec->size - sizeof(*t))
		return;
	if (t->kind == W5_TEXT_HTTP1) {
		n = n < sizeof(data) - 1 ? n : sizeof(data) - 1;
		memcpy(data, t->data, n);
		data[n] = '\0';
		data[strcspn(data, "\r\n")] = '\0';
	} else {
		for (size_t i = 0; i < n && i < 24; i++)
			at += (size_t)snprintf(data + at, sizeof(data) - at, "%02x", t->data[i]);
	}
	snprintf(out, cap,
		 " %s %s off=%" PRIu64 " n=%u total=%u len=%u flags=%#x tid=%u/%u"
		 " hint=%" PRIu64 "@%.0f \"%s\"",
		 t->dir == W5_TEXT_IN ? "in" : "out", t->kind == W5_TEXT_HTTP1 ? "http1" : "frame",
		 t->off, t->seq, t->total, t->len, t->flags, t->tgid, t->tid, t->hint_cookie,
		 us(c, t->hint_ns), data);
}

static int on_record(void *self, const struct w5_hdr *rec)
{
	struct cat *c = self;
	char line[2048] = "", text[4096];

	if (!c->start_ns)
		c->start_ns = rec->ts_ns;
	if (rec->type == W5_REC_TICK)
		return 0;
	if (rec->type == W5_REC_EXCHANGE || rec->type == W5_REC_ATTEMPT ||
	    rec->type == W5_REC_END || rec->type == W5_REC_OPEN)
		put_leg(c, line, sizeof(line), rec);
	else if (rec->type == W5_REC_TEXT)
		put_text(c, line, sizeof(line), rec);
	else if (rec->type == W5_REC_GATEWAY)
		put_gateway(line, sizeof(line), rec);
	snprintf(text, sizeof(text), "%.0f %s cookie=%" PRIu64 " seq=%u%s", us(c, rec->ts_ns),
		 NAME_OF(types, rec->type), rec->cookie, rec->seq, line);
	if (!c->text || strstr(text, c->text))
		puts(text);
	return 0;
}

int main(int argc, char **argv)
{
	struct cat c = { .text = argc > 2 ? argv[2] : NULL };
	char err[TRACE_ERR_MAX];

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: lab-tracecat FILE [TEXT]\n");
		return 2;
	}
	if (trace_read(argv[1], on_record, &c, err)) {
		fprintf(stderr, "lab-tracecat: %s\n", err);
		return 1;
	}
	return 0;
}
