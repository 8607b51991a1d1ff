/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts for tests: OPEN and TEXT records as the kernel side makes them, and HTTP/2 frames
 * with header blocks of plain literals. Times as in rec.h.
 */
#ifndef TESTS_LIB_REC_TEXT_H
#define TESTS_LIB_REC_TEXT_H

#include <stdarg.h>

#include "rec.h"
#include "w5_h2.h"

#define IN  W5_TEXT_IN
#define OUT W5_TEXT_OUT

/* What one conn has sent so far, and what its texts say of the thread. */
struct wire {
	struct bench *b;
	uint64_t cookie, hint;
	double hint_at;
	uint32_t seq[2], tid;
	uint8_t flags; /* W5_TEXT_OLDER, or those of the next text */
};

static inline struct wire wire_of(struct bench *b, uint64_t cookie)
{
	return (struct wire){ .b = b, .cookie = cookie, .tid = REC_GW };
}

static inline void wire_hint(struct wire *w, uint64_t cookie, double t)
{
	w->hint = cookie;
	w->hint_at = t;
}

static inline struct w5_leg rec_conn(uint64_t cookie, uint8_t role, double t)
{
	bool up = role == W5_ROLE_UPSTREAM;
	struct w5_leg l = { .h = { .ts_ns = ms(t),
				   .cookie = cookie,
				   .type = W5_REC_OPEN,
				   .size = offsetof(struct w5_leg, head) },
			    .local = rec_ip(2),
			    .remote = rec_ip(up ? 18 : 200),
			    .lport = up ? 41022 : 443,
			    .rport = up ? 8443 : 51034,
			    .open_ns = ms(t),
			    .tgid = REC_GW,
			    .tid = REC_GW,
			    .flags = W5_F_TEXT | W5_F_TID_EXACT,
			    .role = role,
			    .phase = W5_PHASE_IDLE,
			    .proto = W5_PROTO_TLS };

	if (up)
		l.synack_ttl = l.data_ttl = 63;
	return l;
}

static inline struct wire wire_open(struct bench *b, uint64_t cookie, uint8_t role, double t)
{
	struct w5_leg l = rec_conn(cookie, role, t);

	feed(b, &l);
	return wire_of(b, cookie);
}

static inline void wire_text(struct wire *w, double t, uint8_t dir, uint8_t kind, const void *p,
			     size_t len, uint32_t total)
{
	size_t size = (sizeof(struct w5_text) + len + 7) / 8 * 8;
	struct w5_text *r = calloc(1, size);

	r->h = (struct w5_hdr){
		.ts_ns = ms(t), .cookie = w->cookie, .type = W5_REC_TEXT, .size = (uint16_t)size
	};
	r->hint_cookie = w->hint;
	r->hint_ns = w->hint ? ms(w->hint_at) : 0;
	r->tgid = REC_GW;
	r->tid = w->tid;
	r->seq = ++w->seq[dir];
	r->total = total;
	r->len = (uint16_t)len;
	r->dir = dir;
	r->kind = kind;
	r->flags = w->flags;
	memcpy(r->data, p, len);
	w->flags &= W5_TEXT_OLDER;
	engine_feed(w->b->e, &r->h);
	free(r);
}

/* ---- HTTP/1 ---- */

static inline void wire_line(struct wire *w, double t, uint8_t dir, const char *text)
{
	wire_text(w, t, dir, W5_TEXT_HTTP1, text, strlen(text), (uint32_t)strlen(text));
}

static inline void wire_get(struct wire *w, double t, uint8_t dir, const char *target)
{
	char text[256];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: shop.example\r\n\r\n", target);
	wire_line(w, t, dir, text);
}

static inline void wire_status(struct wire *w, double t, uint8_t dir, unsigned status)
{
	char text[256];

	snprintf(text, sizeof(text), "HTTP/1.1 %u X\r\nContent-Length: 2\r\n\r\nok", status);
	wire_line(w, t, dir, text);
}

/* ---- HTTP/2 ---- */

struct frame {
	uint8_t p[W5_H2_HDR + 16384];
	size_t len;
};

static inline void frame_begin(struct frame *f, uint8_t type, uint8_t flags, uint32_t stream)
{
	memset(f->p, 0, W5_H2_HDR);
	f->p[3] = type;
	f->p[4] = flags;
	f->p[5] = (uint8_t)(stream >> 24);
	f->p[6] = (uint8_t)(stream >> 16);
	f->p[7] = (uint8_t)(stream >> 8);
	f->p[8] = (uint8_t)stream;
	f->len = W5_H2_HDR;
}

static inline void frame_put(struct frame *f, const void *p, size_t n)
{
	size_t len;

	assert(f->len + n <= sizeof(f->p));
	memcpy(f->p + f->len, p, n);
	f->len += n;
	len = f->len - W5_H2_HDR;
	f->p[0] = (uint8_t)(len >> 16);
	f->p[1] = (uint8_t)(len >> 8);
	f->p[2] = (uint8_t)len;
}

static inline void frame_u32(struct frame *f, uint32_t v)
{
	uint8_t b[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	frame_put(f, b, sizeof(b));
}

static inline void frame_string(struct frame *f, const char *s)
{
	size_t n = strlen(s);
	uint8_t lead[2] = { (uint8_t)n };

	if (n >= 127) { /* RFC 7541 5.1, up to 254 */
		lead[0] = 127;
		lead[1] = (uint8_t)(n - 127);
		assert(n < 127 + 128);
	}
	frame_put(f, lead, n >= 127 ? 2 : 1);
	frame_put(f, s, n);
}

/* how: 0 = literal without indexing, 0x40 = literal that enters the table. */
static inline void frame_field(struct frame *f, uint8_t how, const char *name, const char *value)
{
	frame_put(f, &how, 1);
	frame_string(f, name);
	frame_string(f, value);
}

static inline void wire_frame(struct wire *w, double t, uint8_t dir, const struct frame *f)
{
	wire_text(w, t, dir, W5_TEXT_FRAME, f->p, f->len, 0);
}

#define H2_LAST	 W5_H2_END_STREAM
#define H2_WHOLE W5_H2_END_HEADERS

static inline void wire_request(struct wire *w, double t, uint8_t dir, uint32_t stream,
				const char *method, const char *target)
{
	struct frame f;

	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | H2_LAST, stream);
	frame_field(&f, 0, ":method", method);
	frame_field(&f, 0, ":scheme", "https");
	frame_field(&f, 0, ":authority", "shop.example");
	frame_field(&f, 0, ":path", target);
	wire_frame(w, t, dir, &f);
}

static inline void wire_response(struct wire *w, double t, uint8_t dir, uint32_t stream,
				 const char *status, uint8_t flags)
{
	struct frame f;

	frame_begin(&f, W5_H2_HEADERS, H2_WHOLE | flags, stream);
	frame_field(&f, 0, ":status", status);
	frame_field(&f, 0, "server", "test");
	wire_frame(w, t, dir, &f);
}

/* END_STREAM; the payload of DATA is not in texts. */
static inline void wire_last(struct wire *w, double t, uint8_t dir, uint32_t stream)
{
	struct frame f;

	frame_begin(&f, W5_H2_DATA, H2_LAST, stream);
	f.p[2] = 5;
	wire_frame(w, t, dir, &f);
}

static inline void wire_reset(struct wire *w, double t, uint8_t dir, uint32_t stream,
			      uint32_t error)
{
	struct frame f;

	frame_begin(&f, W5_H2_RST_STREAM, 0, stream);
	frame_u32(&f, error);
	wire_frame(w, t, dir, &f);
}

static inline void wire_goaway(struct wire *w, double t, uint8_t dir, uint32_t last, uint32_t error)
{
	struct frame f;

	frame_begin(&f, W5_H2_GOAWAY, 0, 0);
	frame_u32(&f, last);
	frame_u32(&f, error);
	wire_frame(w, t, dir, &f);
}

/* ---- the kernel's own record of such a conn's end ---- */

static inline struct w5_leg rec_conn_end(uint64_t cookie, uint8_t role, double open, double t,
					 int end)
{
	struct w5_leg l = rec_conn(cookie, role, open);

	l.h.type = W5_REC_END;
	l.phase = W5_PHASE_RESPONSE;
	l.nr = 1;
	rec_end(&l, t, end);
	return l;
}

#endif
