/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between the kernel side (bpf/) and user space (src/): records.
 *
 * A record is a header plus a body, 8-byte aligned, native byte order unless a
 * field says otherwise. The same bytes flow through the kernel ring, a trace
 * file and engine_feed(). No pointers, no enums, no bitfields in structs.
 * Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns); 0 = did not happen.
 */
#ifndef W5_ABI_H
#define W5_ABI_H

#ifndef __VMLINUX_H__
#include <stdint.h>
typedef uint8_t w5_u8;
typedef uint16_t w5_u16;
typedef uint32_t w5_u32;
typedef uint64_t w5_u64;
#else
typedef __u8 w5_u8;
typedef __u16 w5_u16;
typedef __u32 w5_u32;
typedef __u64 w5_u64;
#endif

#define W5_ABI_VERSION 2

/* Bytes kept of a message head. A request head carries method, target, Host and,
 * mostly, the request id within 256, a response its status, type and length. Bulk
 * records of healthy turns cut the request head to W5_HEAD_BULK. */
#define W5_HEAD_REQ  256
#define W5_HEAD_RESP 256
#define W5_HEAD_BULK 128

/* Flight recorder: the last packets of each gateway socket (IP header onwards): how many, and
 * how many bytes of each, unless asked otherwise; and what may be asked for. */
#define W5_PKT_SLOTS	 16
#define W5_PKT_BYTES	 128
#define W5_PKT_SLOTS_MAX 64
#define W5_PKT_BYTES_MIN 64
#define W5_PKT_BYTES_MAX 512 /* multiples of 8 */

enum w5_rec_type {
	W5_REC_SESSION = 1, /* struct w5_session: first record of every stream (user space) */
	W5_REC_TICK,	    /* struct w5_hdr only: time passes (user space, every 25 to 100 ms) */
	W5_REC_STATS,	    /* struct w5_stats: kernel counters changed (user space) */
	W5_REC_GATEWAY,	 /* struct w5_gateway: a gateway process was found or ended (user space) */
	W5_REC_LISTEN,	 /* struct w5_listen: a process started to listen (kernel) */
	W5_REC_EXCHANGE, /* struct w5_leg: downstream request answered, or ended without answer */
	W5_REC_ATTEMPT,	 /* struct w5_leg: upstream connect failed, request answered or failed */
	W5_REC_END,	 /* struct w5_leg: a conn that had answered came to its end (either leg) */
	W5_REC_PACKETS,	 /* struct w5_packets: flight recorder of one conn, after a bad event */
	W5_REC_OPEN,	 /* struct w5_leg: a conn whose messages follow as TEXT records */
	W5_REC_TEXT,	 /* struct w5_text: message heads of such a conn, in plain text */
	W5_REC_LOG,	 /* struct w5_log: one line of a gateway's access log (user space) */
	W5_REC_DNS,	 /* struct w5_dns: a gateway asked for a name, or was answered (kernel) */
	W5_REC_POOL,	 /* struct w5_pool: a process's conns to one upstream (user space) */
	W5_REC_NAME,	 /* struct w5_name: what a configured name stands for now (user space) */
	W5_REC_LIMIT, /* struct w5_limit: a gateway met a limit of this host (kernel, user space) */
	W5_REC_KILLED,	/* struct w5_killed: a process killed by a signal left a conn (kernel) */
	W5_REC_HOST,	/* struct w5_host: limits of the host a gateway runs on (user space) */
	W5_REC_CAPTURE, /* struct w5_capture: what a capture file holds, and lacks (user space) */
	W5_REC_UNIX,	/* struct w5_unix: connect() to a local socket failed (kernel) */
	W5_REC_LATE,	/* struct w5_late: an answer came after the gateway had given up (kernel) */
	W5_REC_TYPE_MAX,
};

struct w5_hdr {
	w5_u64 ts_ns;  /* when the record was made */
	w5_u64 cookie; /* socket cookie of the conn; 0 for records of no conn */
	w5_u32 seq;    /* per conn, +1 per record even when the ring was full: a hole is a loss */
	w5_u16 type;   /* enum w5_rec_type */
	w5_u16 size;   /* whole record, header included, multiple of 8 */
};

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

/* One end of a conn. IPv4 is v4-mapped (RFC 4291 2.5.5.2). Port: host order. */
struct w5_addr {
	w5_u8 ip[16]; /* network order */
};
/* ip[0] and ip[1] of what stands for a local socket, in legs that the engine makes: no IPv6 address
 * of a peer begins so. Then .head of the leg is the path. */
#define W5_PATH_MARK 0xff
#define W5_PATH_END  14 /* bytes of the path's end behind them, zeroes first */
static inline int w5_addr_is_path(const struct w5_addr *a)
{
	return a->ip[0] == W5_PATH_MARK && a->ip[1] == W5_PATH_MARK;
}

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
 * had a longer one, at a time without failures. A bulk record ends inside head[].
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
	w5_u8 pad2[5];
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

#define W5_LEG_BRIEF (__builtin_offsetof(struct w5_leg, local))
#define W5_LEG_BULK  (__builtin_offsetof(struct w5_leg, head) + W5_HEAD_BULK)

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

/*
 * A message of the domain name system (RFC 1035) that a gateway process sent or got over UDP, or
 * the error it got in place of an answer (ICMP). h.cookie is the UDP socket's, h.seq 0.
 */
#define W5_DNS_PORT  53
#define W5_DNS_BYTES 256
enum w5_dns_kind { W5_DNS_QUERY = 1, W5_DNS_ANSWER, W5_DNS_ERROR, W5_DNS_KIND_MAX };

struct w5_dns {
	struct w5_hdr h;
	w5_u64 hint_cookie, hint_ns; /* QUERY: as in an upstream turn's w5_leg */
	struct w5_addr server;
	w5_u32 tgid, tid; /* the asking thread; tid 0 = not known */
	w5_u16 lport;
	w5_u16 total; /* bytes of the message */
	w5_u16 len;   /* valid in data[] */
	w5_u16 err;   /* ERROR: errno */
	w5_u8 kind;
	w5_u8 pad[7];
	w5_u8 data[W5_DNS_BYTES];
};

/* The conns of one process to one upstream, counted about once a second. One of zeroes says that
 * there are none any more. */
struct w5_pool {
	struct w5_hdr h;
	struct w5_addr ip;
	w5_u16 port;
	w5_u16 pad;
	w5_u32 tgid;
	w5_u32 connecting;
	w5_u32 in_use;	  /* with a request whose answer is not there yet, or still comes */
	w5_u32 answering; /* of in_use: the response has begun, and bytes came lately */
	w5_u32 idle;
	w5_u64 oldest_ns; /* when the oldest request without a response began; 0 = none */
};

/* A name in a gateway's configuration, looked up again as that process would. */
#define W5_NAME_BYTES 128
#define W5_NAME_ADDRS 16

#define W5_NAME_OTHERS 0x1 /* the gateway may have other peers than those its configuration names */

struct w5_name {
	struct w5_hdr h; /* h.ts_ns: when the answer was there */
	w5_u32 group;	 /* tgid of its master */
	w5_u16 port;	 /* it connects to; 0 = any */
	w5_u8 naddrs;	 /* 0: it stands for nothing now */
	w5_u8 flags;	 /* W5_NAME_* */
	struct w5_addr addrs[W5_NAME_ADDRS];
	char name[W5_NAME_BYTES]; /* NUL-terminated */
};

/*
 * A limit of this host that a gateway ran into.
 * FILES: socket() found no free descriptor below RLIMIT_NOFILE (EMFILE), so there is no conn and
 * no ATTEMPT record; the thread's trail tells for whom it was.
 * PORTS: of the ATTEMPT record that follows, whose connect got no local port.
 */
enum w5_limit_kind { W5_LIMIT_FILES = 1, W5_LIMIT_PORTS, W5_LIMIT_KIND_MAX };

struct w5_limit {
	struct w5_hdr h;	     /* h.cookie: PORTS: the conn's; h.seq 0 */
	w5_u64 hint_cookie, hint_ns; /* FILES: as in an upstream turn's w5_leg */
	w5_u32 tgid, tid;
	w5_u32 limit;		 /* FILES: RLIMIT_NOFILE; PORTS: ports in the range */
	w5_u32 used;		 /* PORTS: sockets to the same peer, those waiting included */
	w5_u32 waiting;		 /* PORTS: of them in TIME_WAIT */
	w5_u16 port_lo, port_hi; /* PORTS: net.ipv4.ip_local_port_range */
	w5_u8 kind;
	w5_u8 pad[7];
};

/* A process died of a signal and its socket was closed with it. Of any process of the host but
 * for conns a gateway opened. */
struct w5_killed {
	struct w5_hdr h;	      /* h.cookie, h.seq 0 */
	struct w5_addr local, remote; /* local: the dead process's side */
	w5_u16 lport, rport;
	w5_u32 netns;
	w5_u32 tgid, tid;
	w5_u8 signal;
	w5_u8 oom; /* 1: chosen by the OOM killer */
	w5_u8 pad[6];
	char comm[16];
};

/* connect() to a local socket (AF_UNIX) failed. Or, with err 0 and made by user space: from now on
 * they are watched (watched 1), or not (0). */
#define W5_UNIX_PATH 108 /* sun_path; may begin with a zero: no file then, unix(7) */
struct w5_unix {
	struct w5_hdr h;	     /* h.cookie, h.seq 0 */
	w5_u64 hint_cookie, hint_ns; /* as in an upstream turn's w5_leg */
	w5_u32 tgid, tid;
	w5_u16 err;
	w5_u16 len;  /* bytes valid in path[] */
	w5_u8 after; /* as in w5_leg */
	w5_u8 watched;
	w5_u8 pad[6];
	w5_u8 path[W5_UNIX_PATH];
	w5_u8 pad2[8];
};

#define W5_LISTEN_FORKED 0x1 /* it has just been forked: port is 0, tid the parent's tgid */

struct w5_listen {
	struct w5_hdr h;
	w5_u64 cgroup_id;
	w5_u32 tgid, tid;
	w5_u32 netns;
	w5_u16 port;
	w5_u16 flags; /* W5_LISTEN_* */
	char comm[16];
};

#define W5_GW_ENDED 0x1
#define W5_GW_NAMED 0x2 /* known by its name; not yet seen to connect */

struct w5_gateway {
	struct w5_hdr h;
	w5_u64 cgroup_id;
	w5_u32 tgid;  /* this process */
	w5_u32 group; /* tgid of the master (itself if none): workers share it */
	w5_u32 netns;
	w5_u16 flags; /* W5_GW_* */
	w5_u16 nports;
	w5_u16 ports[16]; /* listening ports, host order */
	char comm[16];
	char cgroup[128]; /* path, NUL-terminated */
};

/* Everything that can get lost, kernel and user space together. */
#define W5_LOSSES(X)                                                                        \
	X(RING_BULK, "ring-bulk", "healthy records, ring under pressure", "--ring-size")    \
	X(RING_RARE, "ring-rare", "records of failures, ring full", "--ring-size")          \
	X(MAP_FULL, "map-full", "conns without state, out of memory", "--cgroup, --port")   \
	X(COPY_CUT, "copy-cut", "packet dumps skipped, ring under pressure", "--ring-size") \
	X(EVICTED, "evicted", "conns or exchanges pushed out of user-space tables",         \
	  "--max-exchanges")                                                                \
	X(SEQ_HOLE, "seq-hole", "records missing from a conn's sequence", "--ring-size")    \
	X(SINK, "sink", "findings or packets that could not be written", "free disk space") \
	X(LOG_LINES, "log-lines", "lines of an access log that could not be read", "--log-format")

enum w5_loss {
#define X(id, name, what, help) W5_LOSS_##id,
	W5_LOSSES(X)
#undef X
		W5_LOSS_MAX,
};

struct w5_stats {
	struct w5_hdr h;
	w5_u64 loss[W5_LOSS_MAX + 1]; /* totals since start; last one unused */
	w5_u64 ring_used, ring_size;  /* bytes */
	w5_u64 conns;		      /* sockets with state made so far */
	w5_u64 tls_conns, h2_conns;   /* accepted conns whose messages could not be read */
};

#define W5_SESSION_MASKED  0x1 /* secrets in what follows were overwritten before it was stored */
/* The records are made of a capture file: .tgid only tells gateways apart, and nothing is known
 * of threads and errors of sockets. Times are CLOCK_REALTIME. .hint_* of an upstream turn is inferred:
 * nothing but that exchange was waiting for such a connect. */
#define W5_SESSION_CAPTURE 0x2

struct w5_session {
	struct w5_hdr h;
	w5_u64 realtime_ns; /* CLOCK_REALTIME at h.ts_ns */
	w5_u32 abi;	    /* W5_ABI_VERSION */
	w5_u32 flags;	    /* W5_SESSION_* */
	char host[64];
	char kernel[64];
	char version[32];
};

/*
 * The host's own limits as a gateway meets them. Once a second per gateway, when something
 * changed, and sooner after a failed connect. Kinds: COUNT only grows; LEVEL is a present
 * number; STALL is the share of time in which tasks waited, averaged over 10 s by the kernel
 * (pressure stall information), in hundredths of a per cent.
 */
#define W5_HOST_VALUES(X)                                                                       \
	X(LISTEN_OVERFLOWS, "listen_overflows", COUNT) /* of the gateway's network namespace */ \
	X(LISTEN_DROPS, "listen_drops", COUNT)                                                  \
	X(REQUEST_DROPS, "request_drops", COUNT) /* SYNs, queue of half-open conns full */      \
	X(TIME_WAIT, "time_wait", LEVEL)                                                        \
	X(TIME_WAIT_MAX, "time_wait_max", LEVEL) /* net.ipv4.tcp_max_tw_buckets */              \
	X(CONNTRACK, "conntrack", LEVEL)                                                        \
	X(CONNTRACK_MAX, "conntrack_max", LEVEL)                                                \
	X(CONNTRACK_DROPS, "conntrack_drops", COUNT)                                            \
	X(PORTS_MAX, "ports_max", LEVEL)	 /* size of ip_local_port_range */              \
	X(FILES, "files", LEVEL)		 /* of the process .tgid */                     \
	X(FILES_MAX, "files_max", LEVEL)	 /* its soft limit */                           \
	X(SOFTNET_DROPS, "softnet_drops", COUNT) /* of the host, as what follows */             \
	X(SOFTNET_SQUEEZES, "softnet_squeezes", COUNT)                                          \
	X(CPU, "cpu", STALL)                                                                    \
	X(MEMORY, "memory", STALL)                                                              \
	X(MEMORY_FULL, "memory_full", STALL)                                                    \
	X(IO, "io", STALL)                                                                      \
	X(OWN_CPU, "own_cpu", STALL) /* of the gateway's cgroup */                              \
	X(OWN_MEMORY, "own_memory", STALL)                                                      \
	X(OWN_MEMORY_FULL, "own_memory_full", STALL)                                            \
	X(OWN_IO, "own_io", STALL)

enum w5_host_value {
#define X(id, name, kind) W5_HOST_##id,
	W5_HOST_VALUES(X)
#undef X
		W5_HOST_VALUE_MAX,
};

#define W5_HOST_UNKNOWN (~0ull) /* could not be read */
#define W5_HOST_SLOTS	32	/* of v[]; those not used are 0 */

/* Local ports in use towards one upstream, TIME_WAIT included: of one local address. */
struct w5_host_ports {
	struct w5_addr ip;
	w5_u16 port;
	w5_u16 pad;
	w5_u32 used;
};

#define W5_LISTENER_OWN 0x1 /* the gateway's; else one of the same network namespace */
struct w5_host_listener {
	struct w5_addr ip; /* all zero: any address */
	w5_u16 port;
	w5_u16 flags;	   /* W5_LISTENER_* */
	w5_u32 queue, max; /* conns that wait to be accepted; how many may */
	w5_u32 drops;	   /* total: attempts this socket has dropped */
};

#define W5_HOST_PORTS	  8
#define W5_HOST_LISTENERS 8
struct w5_host {
	struct w5_hdr h;
	w5_u32 group; /* the gateway: tgid of its master */
	w5_u32 tgid;  /* its process that is nearest to its limit of open files */
	w5_u32 netns;
	w5_u16 nports, nlisteners;
	w5_u64 v[W5_HOST_SLOTS];			      /* by enum w5_host_value */
	struct w5_host_ports ports[W5_HOST_PORTS];	      /* most first */
	struct w5_host_listener listeners[W5_HOST_LISTENERS]; /* fullest first */
};

/* Totals since the file's beginning. */
struct w5_capture {
	struct w5_hdr h;
	w5_u64 packets; /* read */
	w5_u64 used;	/* TCP of a gateway's conns */
	w5_u64 unread;	/* of those that are IP: fragments, or cut inside their headers */
	w5_u64 cut;	/* their payload is cut by the snaplen */
	w5_u64 missing; /* segments that the other end has got, and that are not in the file */
	w5_u64 missing_bytes; /* in them */
	w5_u64 duplicates;    /* captured twice */
	w5_u64 unordered;     /* behind a later one in the file */
	w5_u64 one_way;	      /* conns of which only one direction is there */
	w5_u64 older;	      /* conns whose beginning is not there */
};

#define W5_STATIC_ASSERT(c, m) _Static_assert(c, m)
W5_STATIC_ASSERT(sizeof(struct w5_hdr) == 24, "header is 24 bytes");
W5_STATIC_ASSERT(sizeof(struct w5_leg) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(W5_LEG_BRIEF % 8 == 0, "brief records are 8-byte aligned");
W5_STATIC_ASSERT(W5_LEG_BULK % 8 == 0, "bulk records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packets) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packet) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_packets) == W5_PACKETS_SIZE(W5_PKT_SLOTS, W5_PKT_BYTES),
		 "the usual numbers");
W5_STATIC_ASSERT(W5_PACKETS_MAX < 65536, "its size fits the header");
W5_STATIC_ASSERT(sizeof(struct w5_text) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_log) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_dns) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_pool) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_name) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_limit) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_unix) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_killed) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_host) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(W5_HOST_VALUE_MAX <= W5_HOST_SLOTS, "every value has its slot");
W5_STATIC_ASSERT(sizeof(struct w5_listen) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_gateway) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_stats) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_late) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_session) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_capture) % 8 == 0, "records are 8-byte aligned");

#endif
