/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of what is said in words: the plain text of conns, the lines of access logs. Part of
 * w5_abi.h. */
#ifndef W5_ABI_TEXT_H
#define W5_ABI_TEXT_H

#include "w5_abi.h"

/*
 * Plain text of a conn that is encrypted, or the frames of one that speaks HTTP/2. Kept are the
 * first bytes of HTTP/1 messages and whole frames of HTTP/2 but the payload of DATA. Comes
 * after the OPEN record of its conn. h.seq is 0: texts have a sequence of their own.
 */
enum w5_text_dir { W5_TEXT_IN, W5_TEXT_OUT }; /* read, written by the gateway */
enum w5_text_kind {
	W5_TEXT_HTTP1 = 1, /* data[] starts with a request, or with what answers one */
	W5_TEXT_FRAME,	   /* data[] is one frame with its header (RFC 9113 4.1), or a part of it */
};
#define W5_TEXT_MORE  0x1 /* the frame goes on in the next text of this direction */
#define W5_TEXT_REST  0x2 /* data[] goes on with the frame of the text before */
#define W5_TEXT_GAP   0x4 /* bytes of this direction were missed before this text */
#define W5_TEXT_OLDER 0x8 /* the conn is older than us: HPACK state not known */

#define W5_TEXT_MAX 4096 /* bytes of data[]; longer frames come in several texts */

struct w5_text {
	struct w5_hdr h; /* h.ts_ns: when the call that writes it begins, or has read it */
	/* As in w5_leg. IN: the conn of the other side this thread worked on last before */
	w5_u64 hint_cookie, hint_ns;
	w5_u64 off;	  /* bytes of this direction before data[] */
	w5_u32 tgid, tid; /* the thread at work */
	w5_u32 seq;	  /* per conn and direction, +1 each, even when the ring was full */
	w5_u32 total;	  /* HTTP1: bytes of the call that data[] is the start of; FRAME: 0 */
	w5_u16 len;	  /* bytes valid in data[] */
	w5_u8 dir, kind;  /* enums above */
	w5_u8 flags;	  /* W5_TEXT_* */
	w5_u8 after;	  /* as in w5_leg */
	w5_u8 pad[2];
	w5_u8 data[]; /* padded to a multiple of 8 */
};

/* One line of an access log, as far as the format of that log has it; 0 = absent. */
#define W5_LOG_UNTRIED 0x1 /* the log says that no upstream was asked */
#define W5_LOG_PATH    0x2 /* the target is a path without query, perhaps a rewritten one */

#define W5_LOG_TRIES 4
struct w5_log_try {
	struct w5_addr ip;
	w5_u16 port;
	w5_u16 status;
	w5_u32 connect_us, resp_us; /* 0 = not logged */
	w5_u32 pad;
};
struct w5_log {
	struct w5_hdr h; /* h.ts_ns: when the line was read */
	/* When the request ended, by the line's own clock: between end_ns and end_ns + precision_us */
	w5_u64 end_ns;
	w5_u32 precision_us;
	w5_u32 duration_us;
	w5_u32 group; /* tgid of the gateway's master, if it is known */
	w5_u16 status;
	w5_u16 cport; /* client's port */
	struct w5_addr client;
	struct w5_log_try tries[W5_LOG_TRIES]; /* in order; the last one decides */
	w5_u8 ntries, kind;		       /* kind: enum w5_log_kind */
	w5_u16 head_len;
	w5_u32 tgid;		 /* worker, if logged */
	w5_u8 head[W5_HEAD_REQ]; /* "METHOD target HTTP/x\r\nHost: h\r\n", as far as logged */
	char code[32];		 /* the gateway's own word: HAProxy's termination state, ... */
	w5_u32 flags;		 /* W5_LOG_* */
	/* Lines before this one that have no record of their own: not understood; and answered with
	 * less than 500, by class. A record of nothing else has end_ns 0. */
	w5_u32 skipped;
	w5_u32 healthy[5];
	w5_u32 pad;
};
enum w5_log_kind { W5_LOG_NGINX = 1, W5_LOG_HAPROXY, W5_LOG_APACHE, W5_LOG_CADDY };

W5_STATIC_ASSERT(sizeof(struct w5_text) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_log) % 8 == 0, "records are 8-byte aligned");

#endif
