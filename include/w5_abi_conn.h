/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of conns: their turns, what came late, their last packets. Part of w5_abi.h. */
#ifndef W5_ABI_CONN_H
#define W5_ABI_CONN_H

#include "w5_abi.h"

/* Flight recorder: the last packets of each gateway socket (IP header onwards): how many, and
 * how many bytes of each, unless asked otherwise; and what may be asked for. */
#define W5_PKT_SLOTS	 16
#define W5_PKT_BYTES	 128
#define W5_PKT_SLOTS_MAX 64
#define W5_PKT_BYTES_MIN 64
#define W5_PKT_BYTES_MAX 512 /* multiples of 8 */

enum w5_role {
	W5_ROLE_UNKNOWN = 0,
	W5_ROLE_DOWNSTREAM, /* accepted by the gateway; requests come in */
	W5_ROLE_UPSTREAM,   /* opened by the gateway; requests go out */
};

enum w5_phase {
	W5_PHASE_CONNECT = 0, /* SYN sent, not yet established */
	W5_PHASE_IDLE,	      /* established, no request seen yet (or: older than us, unknown) */
	W5_PHASE_REQUEST,     /* request head seen, no response byte yet */
	W5_PHASE_RESPONSE,    /* response head seen; stays so until the next request */
};

/* What ended this turn, seen from the gateway. First terminal event wins. */
enum w5_end {
	W5_END_NONE = 0, /* nothing ended: the record reports a response head */
	W5_END_FIN_IN,	 /* the peer closed */
	W5_END_RST_IN,	 /* the peer, or somebody in its name, reset */
	W5_END_FIN_OUT,	 /* the gateway closed */
	W5_END_RST_OUT,	 /* the gateway reset */
	W5_END_SK_ERR,	 /* the kernel gave up: .err says why */
	W5_END_CONNECT,	 /* connect did not succeed; .err, or 0 if the gateway gave up first */
	W5_END_MAX,
};

enum w5_proto {
	W5_PROTO_NONE = 0, /* no payload seen yet */
	W5_PROTO_HTTP1,
	W5_PROTO_TLS,	/* first byte 0x16 */
	W5_PROTO_H2,	/* HTTP/2: by its cleartext preface, or found out by the engine */
	W5_PROTO_OTHER, /* anything else: conn facts only */
};

/* w5_leg.flags */
#define W5_F_OLDER	   0x0001 /* conn is older than us: nr counts only what we saw */
#define W5_F_NO_REQ	   0x0002 /* response seen whose request we did not see */
#define W5_F_REQ_CUT	   0x0004 /* request head was longer than what head[] holds */
#define W5_F_BAD	   0x0008 /* kernel side judged it abnormal: full record, packets follow */
#define W5_F_LOCAL_UNREACH 0x0010 /* neighbour (ARP/ND) resolution of the next hop had failed */
#define W5_F_NOT_HTTP	   0x0020 /* response did not start with "HTTP/" */
#define W5_F_ZERO_WND	   0x0040 /* peer's receive window was 0 at the end */
#define W5_F_TID_EXACT	   0x0080 /* tid was taken while that thread held the socket */
#define W5_F_INTERIM	   0x0100 /* a 1xx response came before the final one */
#define W5_F_UPGRADE	   0x0200 /* answered 101: no more HTTP on this conn */
#define W5_F_HANDSHAKE	   0x0400 /* this turn is part of a TLS handshake, not a request */
#define W5_F_HINT_OPEN	   0x0800 /* first request: hint_* was taken when the conn was opened */
#define W5_F_TEXT	   0x1000 /* its messages are read: they come, or came, as TEXT records */
/* connect() failed before its socket got as far as SYN_SENT: no port, no packet. .err is what the
 * routing table says of such a connect, 0 if it has a route; .local is 0 unless bound to. */
#define W5_F_UNSENT	   0x2000
/* Told at the end: the response's last bytes are known, and are not CR LF CR LF, with which every
 * chunked body ends (RFC 9112 7.1). Not set: they are, or it is not known. */
#define W5_F_ENDS_OPEN	   0x4000
/* Upstream, told with a failure: the listener is on this host, and its queue of new connections
 * was full when a segment of this very conn came to it. */
#define W5_F_QUEUE_FULL	   0x8000

/* A recent conn of the same thread is told by this much of its cookie: cookies are counted up. */
#define W5_AFTER(cookie) (1 + (cookie) % 255)

#define W5_ALERT 0x100 /* w5_leg.alert_in, .alert_out */

/* TCP flags as in the header's 14th byte (RFC 9293 3.1) */
#define W5_TCP_FIN 0x01
#define W5_TCP_SYN 0x02
#define W5_TCP_RST 0x04
#define W5_TCP_PSH 0x08
#define W5_TCP_ACK 0x10

/*
 * One request/response turn on one conn: an exchange (downstream) or an attempt
 * (upstream). Lives in the socket's storage and is copied out as it stands, so a
 * record of type EXCHANGE, ATTEMPT and END has the same body; END repeats the
 * last turn with what came after its response head.
 *
 * On an upstream conn that is not HTTP/1 (.proto) a turn is bytes out, then bytes in:
 * .nr, times, ends and byte counts hold, head, status and W5_F_NOT_HTTP do not; but in a TLS
 * handshake (W5_F_HANDSHAKE) head[] holds the ClientHello.
 *
 * Healthy turns are cut: whoever reads one copies h.size bytes into a zeroed struct w5_leg,
 * so what follows reads as 0. A busy conn's are gathered, too: .held says how many. A brief
 * record ends before local: it is for a conn that has
 * had a longer one, at a time without failures. A bulk record ends inside head[], now and then one
 * behind resp[].
 */
struct w5_leg {
	struct w5_hdr h;

	w5_u64 req_ns;	/* first byte of the request */
	w5_u64 resp_ns; /* first byte of the (final) response */
	/* The gateway thread's trail, a witness for correlation. Upstream: the downstream
	 * conn this thread worked on last when it connected / sent the request. Downstream:
	 * the upstream conn it worked on last before it wrote the response or closed. */
	w5_u64 hint_cookie;
	w5_u64 hint_ns; /* when the thread last worked on it */

	w5_u32 tgid, tid;  /* owner: connecting / request-sending thread (upstream),
			     response-writing or closing thread (downstream) */
	w5_u32 nr;	   /* number of this request on the conn, from 1; 0 = none yet */
	w5_u32 req_bytes;  /* payload bytes of this request so far */
	w5_u32 resp_bytes; /* payload bytes from the response's first byte */
	w5_u32 srtt_us;

	w5_u16 flags;			       /* W5_F_* */
	w5_u16 status;			       /* 0 = none seen */
	w5_u16 head_len, resp_len;	       /* bytes valid in head[], resp[] */
	w5_u8 role, phase, end, proto;	       /* enums above */
	w5_u8 synack_ttl, data_ttl, tcp_state; /* TTLs as received, 0 = none */
	/* Upstream: what this thread did last before it connected, or sent the request, was to let
	 * go of that failed upstream conn: W5_AFTER(its cookie); 0 = it did something else. */
	w5_u8 after;

	/* Healthy turns of this conn, just before this one, that had no record of their own:
	 * how many, their status, and the sum of their times to the first response byte. */
	w5_u16 held, held_status;
	w5_u32 held_ttfb_us;

	/* brief records end here */
	struct w5_addr local, remote; /* local: the gateway's side */
	w5_u16 lport, rport;	      /* host order; lport 0 if connect got no port */
	w5_u32 netns;		      /* inode number of the network namespace */
	w5_u64 open_ns;		      /* SYN sent / accepted; 0 if older than us */
	w5_u64 last_ns;		      /* last payload byte, any direction */
	w5_u64 idle_ns; /* silence before this request; 0 if first on the conn or not known */

	w5_u8 head[W5_HEAD_REQ]; /* start of the request; bulk records end inside */

	w5_u8 resp[W5_HEAD_RESP]; /* start of the response */
	/* While connecting: of the newest conn to the same port, when the last SYN left. */
	w5_u64 estab_ns;
	w5_u64 req_last_ns;				     /* last byte of the request so far */
	w5_u64 fin_in_ns, fin_out_ns, rst_in_ns, rst_out_ns; /* first of each */
	w5_u64 end_ns;					     /* when .end happened */
	w5_u64 cgroup_id;

	w5_u32 req_acked; /* of req_bytes, ACKed by the peer (upstream) */
	w5_u32 rto_us;
	w5_u32 snd_wnd;		 /* peer's window at the end, bytes */
	w5_u32 rst_seq, rst_ack; /* raw numbers of the RST in */
	w5_u32 snd_una, rcv_nxt; /* ours just before the end */
	w5_u32 reason;		 /* kernel's reset reason where it has one (6.10+), or 0 */

	w5_u16 err, err_soft; /* sk_err, sk_err_soft (errno) */
	w5_u16 retrans;	      /* segments sent again during this turn (connect included if first) */
	w5_u16 syn_sent;      /* SYNs handed to IP */
	w5_u16 busy;	      /* retransmits refused because the first copy is still queued here */
	w5_u16 rto_count;     /* RTO expiries in a row at the end (backoff) */
	w5_u16 dup_synack;
	w5_u16 synack_mss;
	w5_u16 rst_win, rst_ipid; /* raw header fields of the RST in */
	w5_u8 fin_ttl, rst_ttl;
	w5_u8 rst_flags, fin_flags; /* TCP flag byte of the RST / FIN in */
	/* The ICMP error that ended a connect: sender, type and code (RFC 792, RFC 4443);
	 * type 0 = none seen. W5_F_LOCAL_UNREACH if this host sent it to itself. */
	struct w5_addr icmp_from;
	w5_u8 icmp_type, icmp_code;
	/* TLS alerts, in and out: W5_ALERT | AlertDescription (RFC 8446 6), 0 = none. W5_ALERT
	 * alone: close_notify, or encrypted; then only the first of both directions is told. */
	w5_u16 alert_in, alert_out;
	w5_u8 gaps;   /* 1: bytes beyond a missing segment waited to be taken in, at the end */
	w5_u8 sacked; /* segments the peer has, while one before them is not there (up to 255) */

	/* Set by the engine only, on turns it made from TEXT records; 0 from the kernel. A turn on
	 * an HTTP/2 stream has a cookie of its own. */
	w5_u64 conn_cookie; /* the conn the stream is on */
	w5_u32 stream;
	w5_u32 h2_error;    /* error code of the RST_STREAM or GOAWAY that ended it (RFC 9113 7) */
	w5_u16 grpc_status; /* 1 + grpc-status; 0 = none seen */
	w5_u8 h2_end;	    /* enum w5_h2_end */
	w5_u8 pad2;
	/* Answered, but .status refers to a header field that was sent before us (RFC 7541 2.3.2):
	 * 1 + the engine's number for it; 0 = no such thing. */
	w5_u16 status_ref;
	w5_u16 pad3;
};

/* What ended an HTTP/2 stream without a full answer (.end says FIN_* for a close, too). */
enum w5_h2_end {
	W5_H2_NONE = 0,
	W5_H2_RST_IN,	 /* RST_STREAM from the peer */
	W5_H2_RST_OUT,	 /* RST_STREAM from the gateway */
	W5_H2_GOAWAY_IN, /* GOAWAY whose last stream id is below this one */
	W5_H2_GOAWAY_OUT,
};

/* What a backend sent on a conn that the gateway had closed, tired of waiting: the first of it. */
struct w5_late {
	struct w5_hdr h; /* h.ts_ns: when it came; h.seq is 0 */
	struct w5_addr local, remote;
	w5_u16 lport, rport;
	w5_u32 netns;
	w5_u64 req_ns, req_last_ns; /* as in w5_leg */
	w5_u64 closed_ns;	    /* the gateway's FIN */
	w5_u32 bytes;		    /* of this segment */
	w5_u16 status;		    /* 0 = no status line, or it could not be read */
	w5_u16 pad;
};

#define W5_LEG_BRIEF  (__builtin_offsetof(struct w5_leg, local))
#define W5_LEG_BULK   (__builtin_offsetof(struct w5_leg, head) + W5_HEAD_BULK)
#define W5_LEG_ANSWER (__builtin_offsetof(struct w5_leg, resp) + W5_HEAD_RESP)

struct w5_packet {
	w5_u64 ts_ns;
	w5_u32 len; /* on the wire, IP header onwards */
	w5_u16 cap; /* valid bytes in data[] */
	w5_u8 out;  /* 1 = sent by the gateway */
	/* Set by the engine only: room for data in units of 8 bytes; 0 = W5_PKT_BYTES */
	w5_u8 room8;
	w5_u8 data[W5_PKT_BYTES]; /* or as many as the dump's .bytes8 says */
};
#define W5_PKT_HEAD (__builtin_offsetof(struct w5_packet, data))

static inline w5_u32 w5_packet_room(const struct w5_packet *p)
{
	return p->room8 ? p->room8 * 8u : W5_PKT_BYTES;
}

struct w5_packets {
	struct w5_hdr h;
	struct w5_addr local, remote;
	w5_u16 lport, rport;
	w5_u32 netns;
	w5_u32 total; /* packets recorded on this conn so far; slot of packet i is i % slots */
	w5_u8 role;
	w5_u8 slots;  /* 0 = W5_PKT_SLOTS */
	w5_u8 bytes8; /* of a slot's data, in units of 8; 0 = W5_PKT_BYTES */
	w5_u8 pad;
	/* As laid out with the usual numbers. With others slot i is where w5_packets_slot() says. */
	struct w5_packet pkt[W5_PKT_SLOTS];
};
#define W5_PACKETS_HEAD		      (__builtin_offsetof(struct w5_packets, pkt))
#define W5_PACKETS_SIZE(slots, bytes) (W5_PACKETS_HEAD + (slots) * (W5_PKT_HEAD + (bytes)))
#define W5_PACKETS_MAX		      W5_PACKETS_SIZE(W5_PKT_SLOTS_MAX, W5_PKT_BYTES_MAX)

static inline w5_u32 w5_packets_slots(const struct w5_packets *p)
{
	return p->slots ? p->slots : W5_PKT_SLOTS;
}

static inline w5_u32 w5_packets_bytes(const struct w5_packets *p)
{
	return p->bytes8 ? p->bytes8 * 8u : W5_PKT_BYTES;
}

/* i < w5_packets_slots(p) */
static inline struct w5_packet *w5_packets_slot(const struct w5_packets *p, w5_u32 i)
{
	return (struct w5_packet *)((char *)p->pkt + i * (W5_PKT_HEAD + w5_packets_bytes(p)));
}

W5_STATIC_ASSERT(sizeof(struct w5_leg) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(W5_LEG_BRIEF % 8 == 0, "brief records are 8-byte aligned");
W5_STATIC_ASSERT(W5_LEG_BULK % 8 == 0, "bulk records are 8-byte aligned");
W5_STATIC_ASSERT(W5_LEG_ANSWER % 8 == 0, "bulk records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packets) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packet) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packets) == W5_PACKETS_SIZE(W5_PKT_SLOTS, W5_PKT_BYTES),
		 "the usual numbers");
W5_STATIC_ASSERT(W5_PACKETS_MAX < 65536, "its size fits the header");
W5_STATIC_ASSERT(sizeof(struct w5_late) % 8 == 0, "records are 8-byte aligned");

#endif
